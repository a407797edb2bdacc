"""The peer of `fitter eval retrieval`: BM25 by bm25s with the Russian Snowball stemmer, over the same passages and questions.

search.py CORPUS.jsonl QUERIES.jsonl QRELS.tsv
"""

import json
import math
import resource
import sys
import time

import bm25s
import Stemmer

DEPTH = 10


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def judgements(path):
    right = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            query, passage, score = line.rstrip("\n").split("\t")
            if score.replace(".", "", 1).isdigit() and float(score) > 0:
                right.setdefault(query, {})[passage] = float(score)
    return right


def main():
    corpus, queries, qrels = rows(sys.argv[1]), rows(sys.argv[2]), judgements(sys.argv[3])
    stemmer = Stemmer.Stemmer("russian")
    begin = time.perf_counter()
    texts = [f"{row.get('title', '')}\n{row['text']}" for row in corpus]
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="ru", stemmer=stemmer, show_progress=False), show_progress=False)
    indexed = time.perf_counter() - begin
    names = [row["id"] for row in corpus]
    took, mrr, ndcg, hit5, count = [], 0.0, 0.0, 0, 0
    for row in queries:
        begin = time.perf_counter()
        tokens = bm25s.tokenize([row["text"]], stopwords="ru", stemmer=stemmer, return_ids=False, show_progress=False)
        found, _scores = index.retrieve(tokens, k=DEPTH, show_progress=False)
        took.append(time.perf_counter() - begin)
        right = qrels.get(str(row["id"]))
        if not right:
            continue
        count += 1
        places = [place for place, passage in enumerate(found[0]) if names[passage] in right]
        mrr += 1 / (places[0] + 1) if places else 0
        hit5 += bool(places and places[0] < 5)
        gained = sum(right[names[passage]] / math.log2(place + 2) for place, passage in enumerate(found[0]) if names[passage] in right)
        best = sum(grade / math.log2(place + 2) for place, grade in enumerate(sorted(right.values(), reverse=True)[:DEPTH]))
        ndcg += gained / best
    took.sort()
    at = lambda part: round(took[len(took) * part // 100] * 1e6)
    print(json.dumps({
        "passages": len(corpus),
        "questions": count,
        "mrr": mrr / count,
        "ndcg": ndcg / count,
        "hit5": hit5 / count,
        "p50_us": at(50),
        "p95_us": at(95),
        "indexed_ms": round(indexed * 1000),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


main()
