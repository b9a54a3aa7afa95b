"""A decoder of ours as a class of transformers with equal logits: GPT-2, or GPT-NeoX where positions are rotary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from unseen.core.errors import Invalid

from .decoder import Decoder


def save_pretrained(one: Decoder, folder: Path) -> None:
    """Write a stack of one so that `AutoModelForCausalLM.from_pretrained(folder)` gives the same logits."""
    pretrained(one).save_pretrained(str(folder))


def pretrained(one: Decoder) -> Any:
    """A transformers model with this decoder's weights. Without positions it is a GPT-2 whose positions are zero; blocks
    that run in loops are written out. Raises Invalid for a tempered decoder, which no class of transformers holds."""
    if one.shape.temper != "none":
        raise Invalid(
            f"a decoder with temper={one.shape.temper!r} has attention that no class of transformers computes; keep its weights.safetensors, which decoder.load opens."
        )
    made = _neox(one) if one.shape.positions == "rotary" else _gpt2(one)
    return made.eval()


def _gpt2(one: Decoder) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    s = one.shape
    made = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=s.vocab,
            n_positions=s.context,
            n_embd=s.width,
            n_layer=s.depth,
            n_head=s.heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    place = one.w("place")[0] if s.positions == "learned" else torch.zeros(s.context, s.width)
    told = {
        "transformer.wte.weight": one.w("embed")[0],
        "transformer.wpe.weight": place,
        "lm_head.weight": one.w("embed")[0],
    }
    told.update(
        {
            f"transformer.ln_f.{theirs}": one.w(f"norm.{ours}")[0]
            for ours, theirs in (("gain", "weight"), ("bias", "bias"))
        }
    )
    names = {"qkv": "attn.c_attn", "out": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    for i in range(s.depth):
        for ours, theirs in names.items():
            told.update(
                {
                    f"transformer.h.{i}.{theirs}.{kind}": one.w(f"layers.{i % s.layers}.{ours}.{kind}")[0]
                    for kind in ("weight", "bias")
                }
            )
        for ours, theirs in (("norm1", "ln_1"), ("norm2", "ln_2")):
            told.update(
                {
                    f"transformer.h.{i}.{theirs}.weight": one.w(f"layers.{i % s.layers}.{ours}.gain")[0],
                    f"transformer.h.{i}.{theirs}.bias": one.w(f"layers.{i % s.layers}.{ours}.bias")[0],
                }
            )
    return _filled(made, told)


def _neox(one: Decoder) -> Any:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    s = one.shape
    settings = {
        "vocab_size": s.vocab,
        "max_position_embeddings": s.context,
        "hidden_size": s.width,
        "num_hidden_layers": s.depth,
        "num_attention_heads": s.heads,
        "intermediate_size": 4 * s.width,
    }
    made = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            **settings,
            hidden_act="gelu_pytorch_tanh",
            use_parallel_residual=False,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 1.0},
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    told = {"gpt_neox.embed_in.weight": one.w("embed")[0], "lm_head.weight": one.w("embed")[0]}
    told.update(
        {
            f"gpt_neox.final_layer_norm.{theirs}": one.w(f"norm.{ours}")[0]
            for ours, theirs in (("gain", "weight"), ("bias", "bias"))
        }
    )
    names = {"out": "attention.dense", "up": "mlp.dense_h_to_4h", "down": "mlp.dense_4h_to_h"}
    for i in range(s.depth):
        block = f"gpt_neox.layers.{i}"
        for ours, theirs in names.items():
            told.update(
                {
                    f"{block}.{theirs}.weight": one.w(f"layers.{i % s.layers}.{ours}.weight")[0].T,
                    f"{block}.{theirs}.bias": one.w(f"layers.{i % s.layers}.{ours}.bias")[0],
                }
            )
        heads, each = s.heads, s.width // s.heads
        weight = (
            one.w(f"layers.{i % s.layers}.qkv.weight")[0]
            .T.reshape(3, heads, each, s.width)
            .transpose(0, 1)
            .reshape(3 * s.width, s.width)
        )
        bias = one.w(f"layers.{i % s.layers}.qkv.bias")[0].reshape(3, heads, each).transpose(0, 1).reshape(-1)
        told.update(
            {f"{block}.attention.query_key_value.weight": weight, f"{block}.attention.query_key_value.bias": bias}
        )
        for ours, theirs in (("norm1", "input_layernorm"), ("norm2", "post_attention_layernorm")):
            told.update(
                {
                    f"{block}.{theirs}.weight": one.w(f"layers.{i % s.layers}.{ours}.gain")[0],
                    f"{block}.{theirs}.bias": one.w(f"layers.{i % s.layers}.{ours}.bias")[0],
                }
            )
    return _filled(made, told)


def _filled(made: Any, told: dict[str, torch.Tensor]) -> Any:
    missing, strange = made.load_state_dict({k: v.detach().clone().contiguous() for k, v in told.items()}, strict=False)
    left = [k for k in missing if "inv_freq" not in k and not k.endswith((".attn.bias", "masked_bias"))]
    if left or strange:
        raise RuntimeError(f"weights do not fit {type(made).__name__}: missing {left}, unknown {strange}")
    return made
