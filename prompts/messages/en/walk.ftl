procedures-title = Which procedure? Choose one or type what you are doing.
procedures-none = Found no such procedure. Put it differently or ask a question from the menu.
procedure-size = { $count ->
    [one] { $count } step
   *[other] { $count } steps
}
procedure-size-time = { $count ->
    [one] { $count } step
   *[other] { $count } steps
} · about { $minutes } min
button-start = ▶ Start
button-start-for = ▶ Start · { $number }
button-start-without-job = Start without a card
runs-none = Nothing begun.
runs-title = Begun procedures: which one goes on?
run-line = { $title } · { $step }/{ $of }
run-line-for = { $number } · { $title } · { $step }/{ $of }

walk-progress = Step { $place } of { $total }
walk-round = round { $round }
walk-repeat-question = Done: { $round }. Once more?
walk-newer-version = The procedure was updated. This work goes on with the version it began with; the new one is for the next.
walk-first-step = This is the first step
walk-evidence-first = First answer the step's question
walk-answered-already = This step already has its answer.
walk-paused = Paused, everything is kept.
walk-abandoned = Procedure given up
walk-type-text = Type the answer.
walk-type-text-example = Type the answer, for example: { $example }
walk-text-bad = That does not fit. Check and type it again.
walk-text-bad-example = That does not fit. Example: { $example }
walk-type-number = Type the number.
walk-number-bad = A number is needed, for example 12.4.
walk-choose-by-button = Choose the answer with its button.
walk-send-photos = { $count ->
    [one] Send a photo.
   *[other] Send { $count } photos.
}
walk-send-photos-range = Send { $from } to { $to } photos.
walk-photos-so-far = 📷 { $count } of { $max }. You can send more.
walk-photo-kept = Photo kept.
walk-out-of-range = Out of range. Measure again or say why it is so.
walk-type-reason = Type the reason in one message.
walk-is-it-the-reason = Is this the reason for the reading?
walk-change-old = It was:
walk-change-new = It becomes:
walk-type-change-reason = Why the change? Type it in one message.
walk-timer-started = Timer started
walk-timer-runs = ⏱ The time is running, I will call.
walk-timer-over = ⏱ Time is up: { $title }
walk-finished = ✓ { $title }: done
walk-took = Took { $minutes } min
report-finished = ✓ { $name }: { $title }
report-abandoned = { $name } gave up: { $title }
answer-confirmed = yes
answer-photos = { $count ->
    [one] { $count } photo
   *[other] { $count } photos
}
edit-in-walk = I do not follow edits of messages. To change an answer: “Back” → “Change the answer”.

button-done = Done
button-yes = ✓ Yes
button-next = Next ›
button-skip = Skip
button-pause = ⏸ Pause
button-hint = Hint
button-again = ↻ Once more
button-enough = Next ›
button-remeasure = Measure again
button-reason = Give a reason
button-it-is-the-reason = ✓ Yes, the reason
button-change = Change the answer
button-timer = ⏱ Time { $minutes ->
    [0] { $seconds } s
   *[other] { $seconds ->
        [0] { $minutes } min
       *[other] { $minutes } min { $seconds } s
    }
}
walk-begun = ▶ { $title }
walk-photos-needed = 📷 { $count } so far, { $more } more needed.
walk-timer-done = ⏱ Time is up.
walk-abandon-question = Give up “{ $title }”? Answers and photos are kept, the manager gets a report.
walk-given-up = ✕ { $title }: given up
walk-choose-change = Which answer changes?
walk-step-minutes = { $minutes } min
walk-took-hours = Took { $hours } h { $minutes } min
button-resume = ▶ Go on
button-abandon = Give up
button-abandon-yes = Yes, give up
button-forward = » To step { $place }
button-not-needed = No more needed

burst-title = Came together:
burst-notes = { $count ->
    [one] { $count } text
   *[other] { $count } texts
}
burst-extra = { $count ->
    [one] { $count } more photo
   *[other] { $count } more photos
}
burst-aside = I take these when we get to the step
burst-out-of-range = out of range
burst-others = Not read: { $count }. I understand text and photos.
burst-no-step = no step
doubt-photos = { $count ->
    [one] Which step is photo { $number } for?
   *[other] Which step are { $count } photos for, from photo { $number } on?
}
doubt-note = Which step is this note for?
doubts-more = Still to ask: { $count }
walk-photos-waiting = { $count ->
    [one] { $count } photo is here already
   *[other] { $count } photos are here already
}
button-no-step = No step
button-figures = 🖼 Figure
