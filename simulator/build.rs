//! Builds the crate again when the chat page changes: `include_dir!` alone does not say so.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web");
    println!("cargo:rerun-if-changed=schema/bot-api-methods.json");
}
