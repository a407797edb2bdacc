procedures-title = Қай нұсқаулық керек? Таңдаңыз немесе не істеп жатқаныңызды жазыңыз.
procedures-none = Мұндай нұсқаулық табылмады. Басқаша жазыңыз немесе мәзірден сұрақ қойыңыз.
procedure-size = { $count } қадам
procedure-size-time = { $count } қадам · шамамен { $minutes } мин
button-start = ▶ Бастау
button-start-for = ▶ Бастау · { $number }
button-start-without-job = Карточкасыз бастау
runs-none = Басталған нұсқаулық жоқ.
runs-title = Басталған нұсқаулықтар — қайсысын жалғастырамыз?
run-line = { $title } · { $step }/{ $of }
run-line-for = { $number } · { $title } · { $step }/{ $of }

walk-progress = Қадам { $place } / { $total }
walk-round = { $round }-рет
walk-repeat-question = Дайын: { $round }. Бұл қадамды тағы қайталаймыз ба?
walk-newer-version = Нұсқаулық жаңартылды. Бұл жұмысты басталған нұсқамен аяқтаймыз; жаңасы — келесілерге.
walk-first-step = Бұл бірінші қадам
walk-evidence-first = Алдымен қадамның сұрағына жауап беріңіз
walk-answered-already = Бұл қадамда жауап бар.
walk-paused = Кідіртілді — бәрі сақталды.
walk-abandoned = Нұсқаулық тоқтатылды
walk-type-text = Жауабын жазыңыз.
walk-type-text-example = Жауабын жазыңыз, мысалы: { $example }
walk-text-bad = Бұл жарамайды. Тексеріп, қайта жазыңыз.
walk-text-bad-example = Бұл жарамайды. Мысал: { $example }
walk-type-number = Санды жазыңыз.
walk-number-bad = Сан керек, мысалы 12,4.
walk-choose-by-button = Жауапты батырмамен таңдаңыз.
walk-send-photos = { $count ->
    [one] Фото жіберіңіз.
   *[other] { $count } фото жіберіңіз.
}
walk-send-photos-range = { $from }–{ $to } фото жіберіңіз.
walk-photos-so-far = 📷 { $count } / { $max } бар. Тағы жіберуге болады.
walk-photo-kept = Фото сақталды.
walk-out-of-range = Рұқсат етілген шектен тыс. Қайта өлшеңіз немесе себебін жазыңыз.
walk-type-reason = Себебін бір хабарламамен жазыңыз.
walk-is-it-the-reason = Көрсеткіштің себебі осы ма?
walk-change-old = Болған:
walk-change-new = Болады:
walk-type-change-reason = Неге өзгертеміз? Бір хабарламамен жазыңыз.
walk-timer-started = Уақыт жүрді
walk-timer-runs = ⏱ Уақыт жүріп жатыр — еске саламын.
walk-timer-over = ⏱ Уақыт бітті: { $title }
walk-finished = ✓ { $title } — дайын
walk-took = { $minutes } мин кетті
report-finished = ✓ { $name }: { $title }
report-abandoned = { $name } тоқтатты: { $title }
answer-confirmed = иә
answer-photos = { $count } фото
edit-in-walk = Хабарламаның түзетуін ескермеймін. Жауапты өзгерту үшін: «Артқа» → «Жауапты өзгерту».

button-done = Дайын
button-yes = ✓ Иә
button-next = Әрі қарай ›
button-skip = Өткізу
button-pause = ⏸ Кідірту
button-hint = Кеңес
button-again = ↻ Тағы бір рет
button-enough = Әрі қарай ›
button-remeasure = Қайта өлшеу
button-reason = Себебін көрсету
button-it-is-the-reason = ✓ Иә, себебі осы
button-change = Жауапты өзгерту
button-timer = ⏱ Белгілеу { $minutes ->
    [0] { $seconds } с
   *[other] { $seconds ->
        [0] { $minutes } мин
       *[other] { $minutes } мин { $seconds } с
    }
}
walk-begun = ▶ { $title }
walk-photos-needed = 📷 { $count } бар, тағы { $more } керек.
walk-timer-done = ⏱ Уақыт бітті.
walk-abandon-question = «{ $title }» нұсқаулығын тоқтатамыз ба? Жауаптар мен фотолар сақталады, менеджер есеп алады.
walk-given-up = ✕ { $title } — тоқтатылды
walk-choose-change = Қай жауапты өзгертеміз?
walk-step-minutes = { $minutes } мин
walk-took-hours = { $hours } сағ { $minutes } мин кетті
button-resume = ▶ Жалғастыру
button-abandon = Тоқтату
button-abandon-yes = Иә, тоқтату
button-forward = » { $place }-қадамға
button-not-needed = Енді керек емес

burst-title = Бірден келгені:
burst-notes = { $count } жазба
burst-extra = тағы { $count } фото
burst-aside = — қадамға жеткенде қабылдаймын
burst-out-of-range = шектен тыс
burst-others = Оқылмағаны: { $count }. Мәтін мен фотоны түсінемін.
burst-no-step = қадамсыз
doubt-photos = { $count ->
    [one] { $number }-фото қай қадамға?
   *[other] { $number }-ден бастап { $count } фото қай қадамға?
}
doubt-note = Бұл жазба қай қадамға?
doubts-more = Сосын тағы сұраймын: { $count }
walk-photos-waiting = Бар: { $count } фото
button-no-step = Қадамсыз
button-figures = 🖼 Сурет
