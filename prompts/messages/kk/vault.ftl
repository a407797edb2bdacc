vault-title = 📚 Жазбалар
vault-source = Дереккөз: { $source }
vault-commit = Дереккөз: { $source } · { $version }
vault-none = Жазбалар әлі жүктелген жоқ.
vault-checked = { $minutes ->
    [0] Жаңа ғана салыстырылды.
   *[other] { $minutes } минут бұрын салыстырылды.
}
vault-counts = Жазбалар: { $notes } · нұсқаулықтар: { $procedures } · өзгеріс № { $revision }
vault-error = ⚠️ Дереккөз оқылмады: { $error }
vault-well = Жазбаларда қате жоқ.
vault-problems = Қателер: { $errors }, ескертулер: { $warnings }
vault-wanted = Дереккөзді қараймын
button-vault-sync = Қазір салыстыру
button-refresh = Жаңарту
