# The bot's words in English. Short, calm, to the point; the action is on the button.

choose-language = Выберите язык · Тілді таңдаңыз · Choose a language
language-set = Language changed
ask-name = What should I call you? Press the button or type a name.
welcome-client = Hello, { $name }! Ask in your own words: I will find the answer or fetch a human.
welcome-technician = { $name }, all set. Ask anything about installing and repairing, or open a vehicle's card and I will walk you through.
welcome-manager = { $name }, all set. Questions, faults and reports from technicians will come here.
invited-client = You were invited as a client.
invited-technician = You were invited as a technician.
invited-manager = You were invited as a manager.
invited-admin = You were invited as an administrator.
invite-unknown = This invitation does not work. Ask your manager for a new one; meanwhile you can simply ask a question.
invite-expired = This invitation has expired. Ask your manager for a new one; meanwhile you can simply ask a question.
invite-used = This invitation was already used. Ask your manager for a new one; meanwhile you can simply ask a question.
invite-own = This link has worked already: you are in the company.
invite-choose = Who is invited?
invite-made = Send this link to one person. It works once, for { $days ->
    [one] { $days } day
   *[other] { $days } days
}.
role-client = Client
role-technician = Technician
role-manager = Manager
role-admin = Administrator
access-removed = Your access is closed. If that is a mistake, ask the company's administrator.
access-restored = Your access is open again. All that you did is in place: /menu

home-hello = { $name }, how can I help?
home-hint = Type a question and I will look it up in the knowledge base.
help-client = Ask in your own words: I look in the knowledge base and pass the question to a human if there is no answer. The answer comes here.
help-technician =
    What I do:
    • answer questions from the knowledge base: just type;
    • walk you through a procedure step by step and lose nothing: stop whenever you need;
    • keep the vehicle's card: plate or VIN, photos, history.

    /jobs — my jobs
    /new — new card
    /procedures — procedures
    /cancel — back to the menu
help-manager =
    Faults, questions and reports from technicians come here. To answer a question, reply to its message or press “Answer”.

    /jobs — jobs
    /procedures — procedures
    /cancel — back to the menu
command-unknown = There is no such command. Ask in words or open /menu.
only-text = I only understand text so far. Please type your question.
only-text-and-photos = I cannot read that yet. Send text or a photo.
file-too-big = The file is larger than 20 MB, and Telegram does not let me fetch it. Send the picture as a photo, not as a file.
not-available = Not available
cancelled = Cancelled
cancelled-walk-kept = The procedure is kept at this step. Continue it from the menu.
something-wrong = Something went wrong. Your message is kept, no need to repeat it. If there is no answer in a minute, open /menu.
group-private = I help people one to one and do not answer in groups. Write to me in private: the button is below. I am leaving this group.
state-unknown = The bot was updated and the former step of this chat no longer fits. Your jobs and procedures are safe: continue from the menu.

button-menu = ☰ Menu
button-help = Help
button-language = Language
button-back = ‹ Back
button-cancel = Cancel
button-more = More
button-copy = Copy the link
button-write-in-private = Write in private
button-stale = This button is out of date; here is the present state
button-continue = ▶ { $title } · { $step }/{ $of }
button-ask = Ask a question
button-jobs-count = Jobs · { $jobs }
button-new-job = ➕ New card
button-procedures = Procedures
button-questions = Questions · { $questions }
button-faults = Faults · { $faults }
button-runs = In progress · { $runs }
button-invite = Invite
button-first-page = « First
button-next-page = More ›

command-menu = Main menu
command-jobs = My jobs
command-new = New vehicle card
command-procedures = Procedures
command-gaps = What the notes lack
command-vault = Notes: source and problems
command-language = Язык · Тіл · Language
command-help = What the bot can do
command-cancel = Cancel and go to the menu
bot-description = The technician's assistant: answers from the company's knowledge base, guides through procedures step by step, keeps vehicle cards and photos. Press “Start”.
bot-short-description = The technician's assistant: answers, step-by-step procedures, vehicle cards.
