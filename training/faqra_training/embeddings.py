"""Token vectors from co-occurrence counts, to start a small encoder's embeddings from.

Positive pointwise mutual information with a smoothed context distribution, factorised by
truncated SVD with the singular values' square root (Levy, Goldberg and Dagan 2015,
"Improving Distributional Similarity with Lessons Learned from Word Embeddings"). It takes
minutes where a masked language model takes days to learn as much about single tokens.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

# Context counts to this power: rare contexts weigh less (the paper's "cds").
_CONTEXT_SMOOTHING = 0.75


def token_vectors(
    token_ids: NDArray[np.integer],
    *,
    vocabulary_size: int,
    width: int,
    reach: int = 4,
    ignored_ids: tuple[int, ...] = (),
    seed: int = 0,
) -> NDArray[np.float32]:
    """Vectors of shape (vocabulary_size, width), rows of unit variance on average.

    `token_ids` is one long stream; tokens up to `reach` apart count as a pair. Rows of
    `ignored_ids` (separators, padding) and of tokens never seen are zero. Needs
    8 * vocabulary_size ** 2 bytes of memory.
    """
    counts = np.zeros((vocabulary_size, vocabulary_size), dtype=np.float32)
    for distance in range(1, reach + 1):
        for piece in np.array_split(np.arange(len(token_ids) - distance), 16):
            left = token_ids[piece].astype(np.int64)
            right = token_ids[piece + distance].astype(np.int64)
            pairs = np.bincount(left * vocabulary_size + right, minlength=counts.size)
            # Near pairs weigh more, as word2vec's random windows make them.
            weight = (reach + 1 - distance) / reach
            counts += weight * pairs.reshape(counts.shape).astype(np.float32)
    counts += counts.T.copy()
    counts[list(ignored_ids), :] = 0
    counts[:, list(ignored_ids)] = 0
    totals = counts.sum(axis=1)
    contexts = totals**_CONTEXT_SMOOTHING
    contexts /= max(float(contexts.sum()), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        counts /= totals[:, None]
        counts /= contexts[None, :]
        np.log(counts, out=counts)
    counts[~np.isfinite(counts)] = 0
    np.maximum(counts, 0, out=counts)
    left_vectors, values, _ = randomized_svd(counts, width, n_iter=4, random_state=seed)
    vectors = (left_vectors * np.sqrt(values)).astype(np.float32)
    vectors[totals == 0] = 0  # where the factorisation leaves only rounding noise
    return np.asarray(vectors / max(float(vectors.std()), 1e-8), dtype=np.float32)
