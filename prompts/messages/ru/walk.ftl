procedures-title = Какая инструкция нужна? Выберите или напишите, что делаете.
procedures-none = Такой инструкции не нашёл. Напишите иначе или задайте вопрос из меню.
procedure-size = { $count ->
    [one] { $count } шаг
    [few] { $count } шага
   *[many] { $count } шагов
}
procedure-size-time = { $count ->
    [one] { $count } шаг
    [few] { $count } шага
   *[many] { $count } шагов
} · около { $minutes } мин
button-start = ▶ Начать
button-start-for = ▶ Начать · { $number }
button-start-without-job = Начать без карточки
runs-none = Начатых инструкций нет.
runs-title = Начатые инструкции — продолжить какую?
run-line = { $title } · { $step }/{ $of }
run-line-for = { $number } · { $title } · { $step }/{ $of }

walk-progress = Шаг { $place } из { $total }
walk-round = { $round }-й раз
walk-repeat-question = Готово: { $round }. Повторить этот шаг ещё раз?
walk-newer-version = Инструкцию обновили. Эту работу доведём по той версии, с которой начали; новая — для следующих.
walk-first-step = Это первый шаг
walk-evidence-first = Сначала ответьте на вопрос шага
walk-answered-already = На этом шаге ответ уже есть.
walk-paused = На паузе — всё сохранено.
walk-abandoned = Инструкция прекращена
walk-type-text = Напишите ответ.
walk-type-text-example = Напишите ответ, например: { $example }
walk-text-bad = Так не подходит. Проверьте и напишите ещё раз.
walk-text-bad-example = Так не подходит. Пример: { $example }
walk-type-number = Напишите число.
walk-number-bad = Нужно число, например 12,4.
walk-choose-by-button = Выберите ответ кнопкой.
walk-send-photos = { $count ->
    [one] Пришлите фото.
   *[other] Пришлите фото: { $count }.
}
walk-send-photos-range = Пришлите фото: от { $from } до { $to }.
walk-photos-so-far = 📷 Есть { $count } из { $max }. Можно прислать ещё.
walk-photo-kept = Фото сохранил.
walk-out-of-range = Вне допустимого. Измерьте ещё раз или напишите, почему так.
walk-type-reason = Напишите причину одним сообщением.
walk-is-it-the-reason = Это причина, почему показание такое?
walk-change-old = Было:
walk-change-new = Станет:
walk-type-change-reason = Почему меняем? Напишите одним сообщением.
walk-timer-started = Засёк
walk-timer-runs = ⏱ Время идёт — напомню.
walk-timer-over = ⏱ Время вышло: { $title }
walk-finished = ✓ { $title } — готово
walk-took = Заняло { $minutes } мин
report-finished = ✓ { $name }: { $title }
report-abandoned = { $name } прекратил: { $title }
answer-confirmed = да
answer-photos = { $count } фото
edit-in-walk = Правку сообщения я не учитываю. Чтобы изменить ответ: «Назад» → «Изменить ответ».

button-done = Готово
button-yes = ✓ Да
button-next = Дальше ›
button-skip = Пропустить
button-pause = ⏸ Пауза
button-hint = Подсказка
button-again = ↻ Ещё раз
button-enough = Дальше ›
button-remeasure = Измерить ещё раз
button-reason = Указать причину
button-it-is-the-reason = ✓ Да, это причина
button-change = Изменить ответ
button-timer = ⏱ Засечь { $minutes ->
    [0] { $seconds } с
   *[other] { $seconds ->
        [0] { $minutes } мин
       *[other] { $minutes } мин { $seconds } с
    }
}
walk-begun = ▶ { $title }
walk-photos-needed = 📷 Есть { $count }, нужно ещё { $more }.
walk-timer-done = ⏱ Время вышло.
walk-abandon-question = Прекратить инструкцию «{ $title }»? Ответы и фото сохранятся, менеджер получит отчёт.
walk-given-up = ✕ { $title } — прекращена
walk-choose-change = Какой ответ изменить?
walk-step-minutes = { $minutes } мин
walk-took-hours = Заняло { $hours } ч { $minutes } мин
button-resume = ▶ Продолжить
button-abandon = Прекратить
button-abandon-yes = Да, прекратить
button-forward = » К шагу { $place }
button-not-needed = Больше не нужно

burst-title = Пришло сразу:
burst-notes = { $count ->
    [one] { $count } запись
    [few] { $count } записи
   *[many] { $count } записей
}
burst-extra = ещё { $count } фото
burst-aside = — приму, когда дойдём до шага
burst-out-of-range = вне допустимого
burst-others = Не прочитал: { $count }. Понимаю текст и фото.
burst-no-step = без шага
doubt-photos = { $count ->
    [one] К какому шагу фото { $number }?
   *[other] К какому шагу { $count } фото, начиная с { $number }-го?
}
doubt-note = К какому шагу эта заметка?
doubts-more = Потом спрошу ещё: { $count }
walk-photos-waiting = Уже есть: { $count } фото
button-no-step = Без шага
button-figures = 🖼 Рисунок
