answer-partly = The answer is not complete: the knowledge base does not say the rest.
answer-unproven = The summary did not match the knowledge base, so here is the note itself.
answer-not-enough = The knowledge base has no direct answer; this comes closest.
answer-sources = 🤖 Summed up from:
answer-checking =
    { $text }

    ⏳ Checking…
