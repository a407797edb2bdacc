//! Conversations as readable files: each is played, and must come out as it stands. `UPDATE_TRANSCRIPTS=1` writes them anew.

#[test]
fn conversations_go_as_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} transcripts", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let written = std::fs::read_to_string(&file).unwrap();
        eprintln!("{name}");
        let played = crate::world::play(&written);
        if played != written {
            if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
                std::fs::write(&file, &played).unwrap();
                continue;
            }
            let at = played.lines().zip(written.lines()).position(|(played, written)| played != written).unwrap_or(0);
            let near = |text: &str| text.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
            wrong.push(format!("--- {name}, line {}: written\n{}\n--- played\n{}", at + 1, near(&written), near(&played)));
        }
    }
    assert!(wrong.is_empty(), "{}\n\nUPDATE_TRANSCRIPTS=1 writes them anew.", wrong.join("\n\n"));
}
