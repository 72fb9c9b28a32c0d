"""ModernBERT written with the operators that ONNX Runtime has fast kernels for.

As transformers writes it, a layer's rotary embedding and attention are some thirty small
operators and its masks are made of large ones. This module knows neither files nor labels.
"""

from typing import TypeGuard

import torch
from torch.onnx import ops
from transformers import ModernBertForTokenClassification, PreTrainedModel

from faqra_models.local_attention import DOMAIN, UNSEEN


class FastModernBert(torch.nn.Module):
    """The graph of a ModernBERT for windows of up to `max_tokens`; it can be exported only.

    Its local layers are operators that `local_attention.define` has to be called for.
    """

    _reach: torch.Tensor
    _first_place: torch.Tensor

    def __init__(self, model: ModernBertForTokenClassification, max_tokens: int) -> None:
        super().__init__()
        self._model = model
        self._heads = model.config.num_attention_heads
        layers = model.model.layers
        self._projections = torch.nn.ModuleList(_Parts(each.attn.Wqkv, 3) for each in layers)
        self._widenings = torch.nn.ModuleList(_Parts(each.mlp.Wi, 2) for each in layers)
        places = torch.arange(max_tokens)[None]
        for kind in {each.attention_type for each in layers}:
            for name, table in zip(
                ("cosines", "sines"),
                model.model.rotary_emb(torch.zeros(1), places, kind),
                strict=True,
            ):
                half = table.shape[-1] // 2  # the second is the first again
                self.register_buffer(f"{kind}_{name}", table[0, :, :half].contiguous())
        self.register_buffer("_reach", torch.tensor(model.config.sliding_window))
        self.register_buffer("_first_place", torch.zeros(1, dtype=torch.int64))

    @staticmethod
    def fits(model: PreTrainedModel) -> TypeGuard[ModernBertForTokenClassification]:
        """Whether this is the model's graph; other rotary embeddings change with the length."""
        if not isinstance(model, ModernBertForTokenClassification):
            return False
        ropes = model.config.rope_parameters or {}
        return all(rope["rope_type"] == "default" for rope in ropes.values())

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits of shape (windows, tokens, labels)."""
        windows, tokens = input_ids.shape
        padding = (1 - attention_mask).float() * UNSEEN
        mask = padding[:, None, None].expand(windows, 1, tokens, tokens)
        local = ops.symbolic_multi_out(
            f"{DOMAIN}::local_mask",
            (padding, self._reach),
            dtypes=(torch.float32, torch.bool, torch.int64, torch.int64),
            shapes=(mask.shape, (), (tokens,), (tokens,)),
            version=1,
        )
        encoder = self._model.model
        rows = encoder.embeddings(input_ids)
        for layer, project, widen in zip(
            encoder.layers, self._projections, self._widenings, strict=True
        ):
            kind = layer.attention_type
            query, key, value = project(layer.attn_norm(rows))
            query, key = self._rotated(query, kind), self._rotated(key, kind)
            if kind == "full_attention":
                seen, *_ = ops.attention(
                    query, key, value, mask, q_num_heads=self._heads, kv_num_heads=self._heads
                )
            else:
                seen = ops.symbolic(
                    f"{DOMAIN}::local_attention",
                    (query, key, value, *local),
                    {"heads": self._heads},
                    dtype=value.dtype,
                    shape=value.shape,
                    version=1,
                )
            rows = rows + layer.attn.Wo(seen)
            content, gate = widen(layer.mlp_norm(rows))
            rows = rows + layer.mlp.Wo(layer.mlp.act(content) * gate)
        logits: torch.Tensor = self._model.classifier(self._model.head(encoder.final_norm(rows)))
        return logits

    def _rotated(self, rows: torch.Tensor, kind: str) -> torch.Tensor:
        # The standard's operator wants its tables cut to length before, which takes 2 % of the
        # time of a paragraph.
        return ops.symbolic(
            "com.microsoft::RotaryEmbedding",
            (
                rows,
                self._first_place,
                self.get_buffer(f"{kind}_cosines"),
                self.get_buffer(f"{kind}_sines"),
            ),
            {"num_heads": self._heads},
            dtype=rows.dtype,
            shape=rows.shape,
            version=1,
        )


class _Parts(torch.nn.Module):
    """What a layer makes, in equal parts that are each made alone: cutting it up would copy it."""

    def __init__(self, layer: torch.nn.Linear, count: int) -> None:
        super().__init__()
        self._parts = torch.nn.ModuleList()
        biases = [None] * count if layer.bias is None else layer.bias.chunk(count)
        for weight, bias in zip(layer.weight.chunk(count), biases, strict=True):
            part = torch.nn.Linear(layer.in_features, len(weight), bias=bias is not None)
            part.weight.data.copy_(weight)
            if bias is not None:
                part.bias.data.copy_(bias)
            self._parts.append(part)

    def forward(self, rows: torch.Tensor) -> list[torch.Tensor]:
        """As many tensors as there are parts."""
        return [part(rows) for part in self._parts]
