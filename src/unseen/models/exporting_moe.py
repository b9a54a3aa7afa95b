"""A mixture of experts of ours as a class of transformers with equal logits: OLMoE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from unseen.core.errors import Invalid

from .moe import EPSILON, Mixture

ALIGNED = 8  # features: 16 bytes of bfloat16


def save_pretrained(one: Mixture, folder: Path) -> None:
    """Write a stack of one so that `AutoModelForCausalLM.from_pretrained(folder)` gives the same logits."""
    pretrained(one).save_pretrained(str(folder))


def pretrained(one: Mixture) -> Any:
    """An OlmoeForCausalLM with this member's weights. Raises Invalid for features that its products do not take."""
    from transformers import OlmoeConfig, OlmoeForCausalLM

    s = one.shape
    if s.width % ALIGNED or s.hidden % ALIGNED:
        raise Invalid(
            f"a mixture with width={s.width}, hidden={s.hidden}: transformers multiplies experts in groups whose rows take whole 16 bytes; make both multiples of {ALIGNED} for an OLMoE."
        )
    made = OlmoeForCausalLM(
        OlmoeConfig(
            vocab_size=s.vocab,
            hidden_size=s.width,
            intermediate_size=s.hidden,
            num_hidden_layers=s.layers,
            num_attention_heads=s.heads,
            num_key_value_heads=s.heads,
            num_experts=s.experts,
            num_experts_per_tok=s.active,
            norm_topk_prob=s.normalised,
            router_aux_loss_coef=s.balance,
            max_position_embeddings=s.context,
            rms_norm_eps=EPSILON,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=0,
        )
    )
    embed = one.w("embed")[0]
    told = {"model.embed_tokens.weight": embed, "lm_head.weight": embed, "model.norm.weight": one.w("norm")[0]}
    for i in range(s.layers):
        told |= {f"model.layers.{i}.{name}": value for name, value in _block(one, f"layers.{i}").items()}
    made.load_state_dict({k: v.detach().clone().contiguous() for k, v in told.items()})
    return made.eval()


def _block(one: Mixture, layer: str) -> dict[str, torch.Tensor]:
    """The weights of a block by the names they have in OLMoE; products there have their factors the other way round."""

    def w(name: str) -> torch.Tensor:
        return one.w(f"{layer}.{name}")[0]

    query, key, value = w("qkv").T.chunk(3)
    return {
        "self_attn.q_proj.weight": query,
        "self_attn.k_proj.weight": key,
        "self_attn.v_proj.weight": value,
        "self_attn.o_proj.weight": w("out").T,
        "self_attn.q_norm.weight": w("query_norm"),
        "self_attn.k_norm.weight": w("key_norm"),
        "input_layernorm.weight": w("norm1"),
        "post_attention_layernorm.weight": w("norm2"),
        "mlp.gate.weight": w("router"),
        "mlp.experts.gate_up_proj": w("up").transpose(1, 2),
        "mlp.experts.down_proj": w("down").transpose(1, 2),
    }
