"""Two tasks and the logs of two models that answer them: `python inspect_task.py` writes one/ and two/."""

from inspect_ai import Task, eval, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ModelOutput
from inspect_ai.scorer import Score, match, mean, scorer
from inspect_ai.solver import solver


@scorer(metrics={"close": [mean()], "short": [mean()]})
def parts():
    async def score(state, target):
        said = state.output.completion
        return Score(value={"close": 0.25 if said != target.text else 1.0, "short": len(said) < 3})

    return score


@solver
def says(right):
    async def solve(state, generate):
        i = int(str(state.sample_id)[1:])
        state.output = ModelOutput.from_content("mockllm/model", state.target.text if right[i] == "1" else "no idea")
        return state

    return solve


@task
def sums(right: str, version: int = 1):
    return Task(
        dataset=MemoryDataset(
            [
                Sample(id=f"s{i}", input=f"What is {i} + 1? <b>\x1b[31mred</b>", target=str(i + 1))
                for i in range(len(right))
            ],
            name="sums",
        ),
        solver=says(right),
        scorer=[match(), parts()],
        version=version,
    )


@task
def chats(right: str):
    return Task(
        dataset=MemoryDataset(
            [
                Sample(id=f"c{i}", input=[ChatMessageUser(content=f"Count to {i}. " + "x " * 600)], target=str(i))
                for i in range(len(right))
            ],
            name="chats",
        ),
        solver=says(right),
        scorer=match(),
    )


if __name__ == "__main__":
    common = dict(model="mockllm/model", display="none", log_realtime=False)
    eval(sums("11010011"), log_dir="one", log_format="eval", **common)
    eval(chats("10"), log_dir="one", log_format="eval", **common)
    eval(sums("1111011", version=2), log_dir="two", log_format="json", **common)
    eval(chats("11"), log_dir="two", log_format="json", epochs=2, **common)
