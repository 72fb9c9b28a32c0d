"""Attention to near tokens only, as two ONNX operators written in the standard's.

In windows of more than four times `reach`, which is how far a token sees on either side, every
block of `reach` tokens is scored against itself and its two neighbours only. At four times that
takes as long as the whole square does, at eight half as long. This module knows no models.
"""

import onnx
from onnx import parser

DOMAIN = "faqra"
# The first version of the standard with an operator for attention.
OPSET = 23
# Added to the score of a token that is not to be seen. Unlike -inf it leaves numbers in a row
# that sees nothing, as those of padding may.
UNSEEN = -1e9

_HEAD = f'<domain: "{DOMAIN}", opset_import: ["": {OPSET}, "{DOMAIN}": 1]>'

# From what padding adds to a key's score, (windows, tokens): what is added to every score,
# whether that is by blocks, and which tokens are a block's queries and keys. The bias is
# (windows, 1, tokens, tokens) or, by blocks, (windows * blocks, 1, reach, 3 * reach).
_LOCAL_MASK = f"""
local_mask (padding, reach) => (bias, by_blocks, queries, keys) {{
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    second = Constant <value_ints = [1]> ()
    unseen = Constant <value_float = {UNSEEN}> ()
    four = Constant <value_int = 4> ()
    length = Shape <start = 1> (padding)
    tokens = Squeeze (length)
    most = Mul (four, reach)
    by_blocks = Greater (tokens, most)
    bias, queries, keys = If (by_blocks) <
        then_branch = blocks () => (block_bias, block_queries, block_keys) {{
            starts = Range (zero, tokens, reach)
            block = Unsqueeze (starts, second)
            query = Range (zero, reach, one)
            before = Neg (reach)
            after = Add (reach, reach)
            key = Range (before, after, one)
            last = Sub (tokens, one)
            query_places = Add (block, query)
            block_queries = Min (query_places, last)
            key_places = Add (block, key)
            block_keys = Clip (key_places, zero, last)
            query_column = Unsqueeze (query, second)
            apart = Sub (query_column, key)
            distance = Abs (apart)
            far = Greater (distance, reach)
            there = Equal (key_places, block_keys)
            missing = Not (there)
            missing_rows = Unsqueeze (missing, second)
            hidden = Or (far, missing_rows)
            added = Gather <axis = 1> (padding, block_keys)
            third = Constant <value_ints = [2]> ()
            added_rows = Unsqueeze (added, third)
            by_window = Where (hidden, unseen, added_rows)
            all = Constant <value_ints = [-1, 1]> ()
            block_size = Shape (far)
            shape = Concat <axis = 0> (all, block_size)
            block_bias = Reshape (by_window, shape)
        }},
        else_branch = whole () => (whole_bias, whole_queries, whole_keys) {{
            whole_keys = Range (zero, tokens, one)
            whole_queries = Unsqueeze (whole_keys, second)
            whole_apart = Sub (whole_queries, whole_keys)
            whole_distance = Abs (whole_apart)
            whole_far = Greater (whole_distance, reach)
            axes = Constant <value_ints = [1, 2]> ()
            whole_added = Unsqueeze (padding, axes)
            whole_bias = Where (whole_far, unseen, whole_added)
        }}
    >
}}
"""

# The rows of each block, (windows * blocks, rows of a block, width).
_CUT = """
cut (rows, places) => (blocks) {
    by_window = Gather <axis = 1> (rows, places)
    all = Constant <value_ints = [-1]> ()
    block_size = Shape <start = 1> (places)
    width = Shape <start = 2> (rows)
    shape = Concat <axis = 0> (all, block_size, width)
    blocks = Reshape (by_window, shape)
}
"""

_LOCAL_ATTENTION = f"""
local_attention <heads> (query, key, value, bias, by_blocks, queries, keys) => (seen) {{
    seen = If (by_blocks) <
        then_branch = blocks () => (joined) {{
            q = {DOMAIN}.cut (query, queries)
            k = {DOMAIN}.cut (key, keys)
            v = {DOMAIN}.cut (value, keys)
            cut = Attention <q_num_heads: int = @heads, kv_num_heads: int = @heads> (q, k, v, bias)
            windows = Shape <end = 1> (query)
            tokens = Shape <start = 1, end = 2> (query)
            width = Shape <start = 2> (query)
            all = Constant <value_ints = [-1]> ()
            shape = Concat <axis = 0> (windows, all, width)
            filled = Reshape (cut, shape)
            zero = Constant <value_ints = [0]> ()
            second = Constant <value_ints = [1]> ()
            joined = Slice (filled, zero, tokens, second)
        }},
        else_branch = whole () => (attended) {{
            attended = Attention <q_num_heads: int = @heads, kv_num_heads: int = @heads>
                (query, key, value, bias)
        }}
    >
}}
"""


def define(model: onnx.ModelProto) -> None:
    """Write into a model what the operators of this module are that it uses, if it does."""
    made = {name for node in model.graph.node if node.domain == DOMAIN for name in node.output}
    if not made:
        return
    # The shapes of these depend on the length, which who used the operators could not say.
    said = [value for value in model.graph.value_info if value.name not in made]
    del model.graph.value_info[:]
    model.graph.value_info.extend(said)
    model.functions.extend(
        parser.parse_function(_HEAD + text) for text in (_LOCAL_MASK, _CUT, _LOCAL_ATTENTION)
    )
