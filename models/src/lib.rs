//! Real embedding models from a directory, run in process by candle.
