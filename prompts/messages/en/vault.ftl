vault-title = 📚 Notes
vault-source = Source: { $source }
vault-commit = Source: { $source } · { $version }
vault-none = The notes were never imported.
vault-checked = { $minutes ->
    [0] Checked just now.
    [one] Checked { $minutes } minute ago.
   *[other] Checked { $minutes } minutes ago.
}
vault-counts = Notes: { $notes } · procedures: { $procedures } · change no. { $revision }
vault-error = ⚠️ The source was not read: { $error }
vault-well = Nothing is wrong in the notes.
vault-problems = Errors: { $errors }, warnings: { $warnings }
vault-wanted = Looking at the source
button-vault-sync = Check now
button-refresh = Refresh
