//! What the `local` provider computes without a model: hashed embeddings, extractive summaries, rule-based facts. Pure.
