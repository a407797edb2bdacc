vault-title = 📚 Заметки
vault-source = Источник: { $source }
vault-commit = Источник: { $source } · { $version }
vault-none = Заметки ещё ни разу не загружались.
vault-checked = { $minutes ->
    [0] Сверены только что.
    [one] Сверены { $minutes } минуту назад.
    [few] Сверены { $minutes } минуты назад.
   *[other] Сверены { $minutes } минут назад.
}
vault-counts = Заметок: { $notes } · инструкций: { $procedures } · изменение № { $revision }
vault-error = ⚠️ Источник не прочитан: { $error }
vault-well = Ошибок в заметках нет.
vault-problems = Ошибок: { $errors }, предупреждений: { $warnings }
vault-wanted = Смотрю источник
button-vault-sync = Сверить сейчас
button-refresh = Обновить
