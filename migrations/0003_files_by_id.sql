-- Whoever wants the content of a photo knows only the id under which this bot fetches it.

CREATE INDEX photos_file ON photos (bot, file_id);
CREATE INDEX telegram_files_file ON telegram_files (bot, file_id);
