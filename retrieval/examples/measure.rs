//! Measures search on labelled questions: `cargo run --release -p fitter-retrieval --example measure -- VAULT QUERIES.jsonl [PREFIX]` for a
//! vault of notes, `… -- --corpus CORPUS.jsonl QUERIES.jsonl QRELS.tsv` for passages that are cut already, `… -- --ask VAULT QUESTION…` to look
//! at what is found, `… -- --asked VAULT MESSAGES.jsonl` for what is answered and what is refused.
//!
//! A vault's hit is right when it is in the gold note and shares a line with the gold lines, or stands under the heading (`note`, `heading`).

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Instant;

use fitter_domain::Locale;
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{ChunkEntry, Hit, LexicalIndex, NoteEntry, TantivyIndex, Weights};
use fitter_retrieval::local;
use fitter_retrieval::meta::{Kind, Visibility};
use fitter_retrieval::note::Chunk;
use fitter_retrieval::search::{ANSWERING, ENOUGH, Filter, Question};
use serde_json::Value;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["--ask", vault, questions @ ..] => answer(vault, questions),
        ["--asked", vault, messages] => asked(vault, messages),
        ["--corpus", corpus, queries, qrels] => passages(corpus, queries, qrels),
        [vault, queries] => notes(vault, queries, ""),
        [vault, queries, prefix] => notes(vault, queries, prefix),
        _ => Err("see the head of this file".into()),
    }
}

fn rows(file: &str) -> Result<Vec<Value>, Error> {
    std::fs::read_to_string(file)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn weights() -> Vec<(String, Weights)> {
    let base = Weights::default();
    let mut out = vec![("default".to_owned(), base)];
    if std::env::var_os("SWEEP").is_none() {
        return out;
    }
    for grams in [0.0, 0.3, 0.4, 0.6, 0.7, 1.0] {
        out.push((format!("grams {grams}"), Weights { grams, ..base }));
    }
    for head in [0.0, 0.3, 0.5, 1.5, 2.0] {
        out.push((format!("head {head}"), Weights { head, ..base }));
        out.push((format!("head_grams {head}"), Weights { head_grams: head, ..base }));
    }
    for stop in [0.0, 0.1, 0.4, 1.0] {
        out.push((format!("stop {stop}"), Weights { stop, ..base }));
    }
    for code in [0.0, 1.0, 4.0] {
        out.push((format!("code {code}"), Weights { code, ..base }));
    }
    for guess in [0.0, 0.4, 1.0] {
        out.push((format!("guess {guess}"), Weights { guess, ..base }));
    }
    for candidates in [50, 1000] {
        out.push((format!("candidates {candidates}"), Weights { candidates, ..base }));
    }
    out
}

/// Sums over the questions with an answer.
#[derive(Default)]
struct Score {
    count: f32,
    hit1: f32,
    hit3: f32,
    hit5: f32,
    mrr: f32,
    ndcg: f32,
    micros: Vec<u128>,
}

impl Score {
    fn add(&mut self, rank: Option<usize>) {
        self.count += 1.0;
        let Some(rank) = rank else { return };
        self.hit1 += f32::from(u8::from(rank < 1));
        self.hit3 += f32::from(u8::from(rank < 3));
        self.hit5 += f32::from(u8::from(rank < 5));
        self.mrr += if rank < 10 { 1.0 / (rank as f32 + 1.0) } else { 0.0 };
        self.ndcg += if rank < 10 { 1.0 / (rank as f32 + 2.0).log2() } else { 0.0 };
    }

    fn print(&mut self, name: &str) {
        let share = |sum: f32| 100.0 * sum / self.count.max(1.0);
        self.micros.sort_unstable();
        let at = |part: usize| self.micros.get(self.micros.len() * part / 100).copied().unwrap_or(0);
        println!(
            "{name:16} n {:4} hit@1 {:5.1} hit@3 {:5.1} hit@5 {:5.1} MRR@10 {:5.1} one-gold nDCG@10 {:5.1}  p50 {} us p95 {} us",
            self.count,
            share(self.hit1),
            share(self.hit3),
            share(self.hit5),
            share(self.mrr),
            share(self.ndcg),
            at(50),
            at(95)
        );
    }
}

fn ask(
    index: &TantivyIndex,
    glossary: &Glossary,
    (question, prefer): (&str, Option<Locale>),
    score: &mut Score,
) -> Result<Vec<Hit>, Error> {
    let begin = Instant::now();
    let hits = index.search(&Question::new(question, glossary), &Filter { prefer, ..Filter::staff(10) })?;
    score.micros.push(begin.elapsed().as_micros());
    Ok(hits)
}

fn notes(vault: &str, queries: &str, prefix: &str) -> Result<(), Error> {
    let begin = Instant::now();
    let search = local::search_vault(Path::new(vault))?;
    println!("{:?} in {:?}", search.import.counts, begin.elapsed());
    let entries: Vec<NoteEntry> = search.notes().values().map(NoteEntry::from).collect();
    let glossary = Glossary::new(search.notes().values().flat_map(|note| &note.terms));
    let verbose = std::env::var_os("VERBOSE").is_some();
    for (name, weights) in weights() {
        let index = TantivyIndex::in_memory()?.with_weights(weights);
        index.update("", &[], &entries)?;
        let mut all = Score::default();
        let mut kinds: HashMap<String, Score> = HashMap::new();
        let (mut answered, mut unanswerable) = (Vec::new(), Vec::new());
        for row in rows(queries)? {
            let hits = ask(&index, &glossary, (text(&row, "text"), Locale::from_tag(text(&row, "lang"))), &mut all)?;
            let top = hits.iter().take(5).map(Hit::evidence).fold(0.0, f32::max);
            let gold = match row.get("gold").and_then(Value::as_array) {
                Some(gold) => gold.clone(),
                None => row.get("note").map(|_| vec![row.clone()]).unwrap_or_default(),
            };
            let right = |hit: &Hit| {
                let chunk = search.notes().get(&hit.note).and_then(|note| note.chunks.get(hit.chunk as usize));
                gold.iter().any(|gold| {
                    if gold.get("note").is_some() {
                        let heading = text(gold, "heading");
                        let under = |c: &Chunk| heading.is_empty() || c.headings.iter().any(|known| known == heading);
                        return text(gold, "note") == hit.note && chunk.is_some_and(under);
                    }
                    let line = |key: &str| gold.get(key).and_then(Value::as_u64).unwrap_or(0);
                    let same = text(gold, "doc").strip_prefix(prefix).unwrap_or_default() == hit.note;
                    same && chunk
                        .is_some_and(|c| u64::from(c.start_line) <= line("end_line") && u64::from(c.end_line) >= line("start_line"))
                })
            };
            if gold.is_empty() {
                unanswerable.push(top);
                continue;
            }
            let rank = hits.iter().position(right);
            if rank.is_some_and(|rank| rank < 5) {
                answered.push(top);
            }
            all.add(rank);
            kinds.entry(text(&row, "category").to_owned()).or_default().add(rank);
            if verbose {
                let first = hits.first().map(|hit| format!("{} #{}", hit.note, hit.chunk)).unwrap_or_default();
                println!("  {rank:?} {top:.2} {} -> {first}", text(&row, "text"));
            }
        }
        all.print(&name);
        if name == "default" {
            kinds.iter_mut().for_each(|(kind, score)| score.print(kind));
            unanswerable.sort_by(f32::total_cmp);
            answered.sort_by(f32::total_cmp);
            println!("greatest evidence among five hits, answered: {answered:.2?}\nunanswerable: {unanswerable:.2?}");
        }
    }
    Ok(())
}

/// Messages with the notes that answer them (`notes`, none for what the vault does not answer), by `split`.
fn asked(vault: &str, messages: &str) -> Result<(), Error> {
    let search = local::search_vault(Path::new(vault))?;
    for split in ["dev", "held-out"] {
        let mut score = Score::default();
        let (mut answerable, mut others) = (Vec::new(), Vec::new());
        for row in rows(messages)?.iter().filter(|row| text(row, "split") == split) {
            let notes: Vec<&str> = row.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            let begin = Instant::now();
            let hits =
                search.searcher().ask(text(row, "text"), &Filter { prefer: Locale::from_tag(text(row, "lang")), ..Filter::staff(5) })?.hits;
            score.micros.push(begin.elapsed().as_micros());
            let best = hits.iter().take(ANSWERING).map(Hit::evidence).fold(0.0, f32::max);
            let rank = hits.iter().position(|hit| notes.contains(&hit.note.as_str()));
            if std::env::var_os("VERBOSE").is_some() {
                let first = hits.first().map(|hit| format!("{} #{}", hit.note, hit.chunk)).unwrap_or_default();
                println!("{split} {} {rank:?} {best:.2} {} -> {first}", if notes.is_empty() { "no" } else { "yes" }, text(row, "text"));
            }
            if notes.is_empty() {
                others.push(best);
            } else {
                answerable.push(best);
                score.add(rank);
            }
        }
        score.print(split);
        let below = |list: &[f32], least: f32| 100.0 * list.iter().filter(|best| **best < least).count() as f32 / list.len().max(1) as f32;
        for least in [0.5, 0.55, 0.6, ENOUGH, 0.7, 0.75, 0.8] {
            println!(
                "  below {least:.2}: refused right {:5.1} %, refused wrong {:5.1} %",
                below(&others, least),
                below(&answerable, least)
            );
        }
    }
    Ok(())
}

/// Shows what is found, for a look with one's own eyes.
fn answer(vault: &str, questions: &[&str]) -> Result<(), Error> {
    let search = local::search_vault(Path::new(vault))?;
    for question in questions {
        println!("{question}");
        for hit in search.find(question, &Filter::staff(5))? {
            println!("  {:.2} {:.2} {}:{}-{} {}", hit.score, hit.coverage, hit.note, hit.start_line, hit.end_line, hit.heading);
        }
    }
    Ok(())
}

fn passages(corpus: &str, queries: &str, qrels: &str) -> Result<(), Error> {
    let entry = |row: &Value| NoteEntry {
        path: text(row, "id").to_owned(),
        title: text(row, "title").to_owned(),
        names: Vec::new(),
        kind: Kind::Note,
        visibility: Visibility::Staff,
        locale: Locale::Ru,
        chunks: vec![ChunkEntry { headings: Vec::new(), text: text(row, "text").to_owned() }],
    };
    let entries: Vec<NoteEntry> = rows(corpus)?.iter().map(entry).collect();
    let mut gold: HashMap<String, HashSet<String>> = HashMap::new();
    for line in std::fs::read_to_string(qrels)?.lines() {
        if let [query, id, score] = line.split('\t').collect::<Vec<_>>().as_slice()
            && score.parse::<f32>().is_ok_and(|score| score > 0.0)
        {
            gold.entry((*query).to_owned()).or_default().insert((*id).to_owned());
        }
    }
    for (name, weights) in weights() {
        let begin = Instant::now();
        let index = TantivyIndex::in_memory()?.with_weights(weights);
        index.update("", &[], &entries)?;
        if name == "default" {
            println!("{} passages indexed in {:?}", index.len(), begin.elapsed());
            let begin = Instant::now();
            if let Some(entry) = entries.first() {
                index.update("", &[], std::slice::from_ref(entry))?;
            }
            println!("one note replaced in {:?}", begin.elapsed());
        }
        let mut all = Score::default();
        for row in rows(queries)? {
            let hits = ask(&index, &Glossary::default(), (text(&row, "text"), None), &mut all)?;
            if let Some(gold) = gold.get(text(&row, "id")) {
                all.add(hits.iter().position(|hit| gold.contains(&hit.note)));
            }
        }
        all.print(&name);
    }
    Ok(())
}
