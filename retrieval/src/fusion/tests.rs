use proptest::prelude::*;

use super::*;

fn hit(note: &str, score: f32) -> Hit {
    Hit { note: note.to_owned(), chunk: 0, score, coverage: score, words: 0 }
}

fn near(note: &str, similarity: f32) -> Near {
    Near { note: note.to_owned(), chunk: 0, locale: Locale::Ru, similarity }
}

fn order(fused: &[Fused]) -> Vec<&str> {
    fused.iter().map(|one| one.hit.note.as_str()).collect()
}

#[test]
fn both_lists_have_their_share() {
    let lexical = vec![hit("words", 0.9), hit("both", 0.6)];
    let dense = [near("meaning", 0.85), near("both", 0.84), near("last", 0.70)];
    let fused = fuse(lexical.clone(), &dense, Fusion::Weight(0.4), None);
    assert_eq!(order(&fused), ["both", "meaning", "words", "last"]);
    assert_eq!((fused[0].lexical, fused[0].dense), (Some(0.6), Some(0.84)));
    assert_eq!((fused[1].lexical, fused[1].hit.coverage), (None, 0.0));
    assert_eq!(order(&fuse(lexical.clone(), &dense, Fusion::Weight(1.0), None))[..2], ["words", "both"]);
    assert_eq!(order(&fuse(lexical.clone(), &dense, Fusion::Weight(0.0), None))[..2], ["meaning", "both"]);
    assert_eq!(order(&fuse(lexical, &dense, Fusion::Rrf, None))[0], "both");
}

#[test]
fn without_vectors_everything_stays() {
    let fused = fuse(vec![hit("a", 0.5), hit("b", 0.5)], &[], Fusion::default(), None);
    assert_eq!(order(&fused), ["a", "b"]);
    assert_eq!(fused[0].hit, hit("a", 0.5));
}

#[test]
fn the_askers_language_is_preferred() {
    let dense = [near("ru", 0.80), Near { locale: Locale::Kk, ..near("kk", 0.795) }, near("far", 0.70)];
    assert_eq!(order(&fuse(Vec::new(), &dense, Fusion::default(), Some(Locale::Kk)))[0], "kk");
    assert_eq!(order(&fuse(Vec::new(), &dense, Fusion::default(), None))[0], "ru");
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(lexical in proptest::collection::btree_map("[a-f]", 0.0_f32..1.0, 0..6),
        dense in proptest::collection::btree_map("[a-f]", -1.0_f32..1.0, 0..6), share in 0.0_f32..1.0, rrf: bool) {
        let hits: Vec<Hit> = lexical.iter().map(|(note, score)| hit(note, *score)).collect();
        let nears: Vec<Near> = dense.iter().map(|(note, similarity)| near(note, *similarity)).collect();
        let fused = fuse(hits, &nears, if rrf { Fusion::Rrf } else { Fusion::Weight(share) }, None);
        let mut found: Vec<&str> = order(&fused);
        found.sort_unstable();
        let mut all: Vec<&str> = lexical.keys().chain(dense.keys()).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        prop_assert_eq!(found, all);
        prop_assert!(fused.iter().all(|one| (0.0..=1.0001).contains(&one.hit.score)));
    }
}

#[test]
fn another_device_ranks_lower_and_the_own_one_higher() {
    let subject = |devices: &[&str], vehicles: &[&str]| Subject {
        devices: devices.iter().map(|&name| name.to_owned()).collect(),
        vehicles: vehicles.iter().map(|&name| name.to_owned()).collect(),
    };
    let subjects: HashMap<String, Subject> = [
        ("other".to_owned(), subject(&["FMC130"], &[])),
        ("own".to_owned(), subject(&["fmb 920"], &[])),
        ("series".to_owned(), subject(&["FMB"], &[])),
        ("general".to_owned(), Subject::default()),
        ("car".to_owned(), subject(&[], &["Toyota Hilux 2015-2020"])),
    ]
    .into_iter()
    .collect();
    let list = || ["other", "car", "unknown", "general", "own", "series"].map(|note| Fused::from(hit(note, 0.8))).to_vec();
    let bent = |devices: &[&str], vehicles: &[&str]| {
        let mut hits = list();
        bend(&mut hits, &subject(devices, vehicles), &subjects);
        order(&hits).join(" ")
    };
    assert_eq!(bent(&["FMB920"], &[]), "own series car general unknown other");
    assert_eq!(bent(&[], &["Hilux 2017"]), "car general other own series unknown");
    assert_eq!(bent(&[], &["Kia Rio"]), "general other own series unknown car");
    assert_eq!(bent(&[], &[]), "car general other own series unknown");
}

#[test]
fn vehicles_are_compared_by_words_and_years() {
    for (one, other, same) in [
        ("Toyota Hilux 2015-2020", "toyota hilux", true),
        ("Toyota Hilux 2015-2020", "Toyota Hilux 2020", true),
        ("Toyota Hilux 2015-2020", "Toyota Hilux 2021", false),
        ("Toyota Hilux 2015+", "Hilux 2024", true),
        ("КамАЗ 5490", "камаз 5490", true),
        ("КамАЗ 5490", "КамАЗ 65115", false),
        ("Toyota", "Toyota Hilux 2015", true),
        ("2015", "2015", false),
    ] {
        assert_eq!(vehicle(one, other), same, "{one} / {other}");
    }
}

#[test]
fn the_weight_is_found_in_the_middle_of_what_is_good() {
    // The words put the answer last, the vectors first: any weight below a half will do.
    let asked = Asked { lexical: vec![hit("x", 1.0), hit("answer", 0.1)], near: vec![near("answer", 0.9), near("x", 0.2)], prefer: None };
    let judge = |_: usize, fused: &[Fused]| f32::from(u8::from(fused.first().is_some_and(|one| one.hit.note == "answer")));
    let found = fit(&[asked.clone(), asked], judge);
    assert!((0.15..=0.3).contains(&found.weight), "{found:?}");
    assert_eq!(found.value, 1.0);
    assert_eq!(fit(&[], judge).value, 0.0);
}
