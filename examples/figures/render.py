"""Draws every figure of the example vault: svg/*.svg here and PNG files in ../vault/Вложения.

Needs rsvg-convert, pngquant and the DejaVu fonts. Run: python3 examples/figures/render.py
"""

import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from draw import AMBER, BLACK, BLUE, FUEL, GREEN, GREY, PALE, RED, Figure

HERE = Path(__file__).resolve().parent
SVG = HERE / "svg"
PNG = HERE.parent / "vault" / "Вложения"
FIGURES = {}


def figure(name, *languages):
    """Registers a figure; with languages, one file per language (ru has no suffix)."""

    def register(draw):
        if not languages:
            FIGURES[name] = draw
        for language in languages:
            suffix = "" if language == "ru" else f"-{language}"
            index = ("ru", "kk", "en").index(language)
            FIGURES[name + suffix] = lambda i=index: draw(lambda *words: words[i])
        return draw

    return register


@figure("power", "ru", "kk", "en")
def power(t):
    f = Figure(700, t("Питание трекера", "Трекердің қорегі", "Tracker power"))
    minus, plus = f.battery(50, 250, t("АКБ 12/24 В", "АКБ 12/24 В", "Battery 12/24 V"), 270, 190)
    f.line([plus, (plus[0], 160), (680, 160), (680, 250)], RED)
    f.fuse(430, 160, t("2 А", "2 А", "2 A"))
    f.arrow(plus[0] + 10, 210, 372, 210, both=True, width=4, head=12)
    f.text(385, 222, t("до 20 см", "20 см-ге дейін", "up to 20 cm"), 28, anchor="start")
    f.box(620, 250, 330, 190, t("ТРЕКЕР", "ТРЕКЕР", "TRACKER"), 40)
    f.text(700, 208, t("+ красный", "+ қызыл", "+ red"), 28, RED, True, "start")
    f.line([minus, (minus[0], 190), (24, 190), (24, 480), (103, 480), (103, 500)], BLACK)
    f.ground(103, 500)
    f.line([(785, 440), (785, 500)], BLACK)
    f.ground(785, 500)
    f.text(765, 492, t("− чёрный", "− қара", "− black"), 28, BLACK, True, "end")
    f.text(160, 548, t("масса: голый металл, болт кузова", "масса: таза металл, шанақ болты", "ground: bare metal, body bolt"), 28, anchor="start")
    f.note(t("9–32 В   •   провод 0,75 мм²   •   сначала масса, потом плюс", "9–32 В  •  сым 0,75 мм²  •  алдымен масса, соңынан плюс", "9–32 V   •   wire 0.75 mm²   •   ground first, then plus"))
    return f


@figure("ignition", "ru", "kk", "en")
def ignition(t):
    f = Figure(760, t("Зажигание: IGN, а не ACC", "Оталдыру: ACC емес, IGN", "Ignition: IGN, not ACC"))
    f.circle(150, 220, 92, BLACK, PALE, 8)
    f.rect(138, 150, 24, 140, BLACK, BLACK, 0, 8)
    f.text(150, 345, t("замок", "құлып", "switch"), 28, bold=True)
    f.line([(242, 220), (620, 220)], GREEN)
    f.fuse(440, 220, t("1 А", "1 А", "1 A"))
    f.text(290, 200, "IGN", 30, GREEN, True)
    f.box(620, 140, 340, 160, t("ТРЕКЕР", "ТРЕКЕР", "TRACKER") + "\nDIN1", 36)
    top, left = 390, 60
    columns = (left, 250, 470, 690, 940)
    f.rect(left, top, 880, 250, BLACK, "white", 5)
    f.line([(left, top + 80), (940, top + 80)], BLACK, 4)
    f.line([(left, top + 165), (940, top + 165)], BLACK, 4)
    for x in columns[1:4]:
        f.line([(x, top), (x, top + 250)], BLACK, 4)
    heads = (t("Выкл.", "Өшірулі", "Off"), t("Вкл.", "Қосулы", "On"), t("Стартер", "Стартер", "Cranking"))
    for x, head in zip((360, 580, 815), heads):
        f.text(x, top + 52, head, 30, bold=True)
    volts = t("В", "В", "V")
    for row, (name, color, cells) in enumerate((("IGN", GREEN, ("0", "12/24", "12/24")), ("ACC", RED, ("0", "12/24", "0")))):
        y = top + 133 + row * 85
        f.text(155, y, name, 34, color, True)
        for x, cell in zip((360, 580, 815), cells):
            f.text(x, y, f"{cell} {volts}", 32, color if x == 815 else BLACK, x == 815)
    f.note(t("Провод IGN не гаснет, когда крутит стартер", "Стартер айналғанда IGN сымы өшпейді", "The IGN wire stays live while cranking"))
    return f


@figure("relay", "ru", "kk", "en")
def relay(t):
    f = Figure(820, t("Реле блокировки пуска", "Іске қосуды бұғаттау релесі", "Start-blocking relay"))
    f.rect(350, 150, 320, 400, BLACK, PALE, 8)
    # coil
    f.rect(400, 260, 70, 180, BLACK, "white", 6, 4)
    f.line([(435, 150), (435, 260)])
    f.line([(435, 440), (435, 550)])
    f.text(400, 195, "86", 30, bold=True)
    f.text(400, 530, "85", 30, bold=True)
    # contact, at rest on 87a
    f.line([(590, 550), (590, 450)])
    f.line([(590, 450), (560, 290)], BLUE, 10)
    f.dot(590, 450)
    f.dot(558, 280)
    f.line([(558, 280), (558, 150)])
    f.dot(628, 290, GREY)
    f.line([(628, 290), (628, 210)], GREY, 5)
    f.text(513, 195, "87a", 30, bold=True)
    f.text(640, 195, "87", 26, GREY, True)
    f.text(632, 530, "30", 30, bold=True)
    # wires
    f.line([(435, 150), (435, 110), (90, 110), (90, 180)], RED)
    f.text(60, 225, t("+ с предохр. 1 А", "+ сақтанд. 1 А", "+ with 1 A fuse"), 26, RED, True, "start")
    f.line([(435, 550), (435, 600), (190, 600)], GREEN)
    f.box(20, 555, 170, 92, t("ТРЕКЕР", "ТРЕКЕР", "TRACKER") + "\nDOUT", 26)
    # diode across the coil
    f.line([(435, 240), (290, 240), (290, 310)], BLACK, 5)
    f.line([(435, 460), (290, 460), (290, 390)], BLACK, 5)
    f.path("M 262 382 L 318 382 L 290 322 Z", BLACK, 4, BLACK)
    f.line([(258, 318), (322, 318)], BLACK, 8)
    f.text(245, 362, "1N4007", 26, bold=True, anchor="end")
    # contact circuit
    f.line([(590, 550), (590, 600), (740, 600)], BLUE)
    f.text(755, 595, t("от замка,\nуправление\nстартером", "құлыптан,\nстартерді\nбасқару", "from the lock,\nstarter\ncontrol"), 28, BLUE, True, "start")
    f.line([(558, 150), (558, 110), (740, 110)], BLUE)
    f.text(755, 120, t("к реле\nстартера", "стартер\nрелесіне", "to the starter\nrelay"), 28, BLUE, True, "start")
    f.text(830, 330, t("без тока:\n30 и 87a\nзамкнуты", "токсыз:\n30 пен 87a\nжалғанған", "at rest:\n30 and 87a\nclosed"), 28, bold=True)
    f.note(t("Только цепь пуска.\nНа ходу двигатель не глушим", "Тек іске қосу тізбегі.\nЖүріс кезінде қозғалтқышты өшірмейміз", "Start circuit only.\nNever stop the engine on the move"), color=RED)
    return f


@figure("can-measure", "ru", "kk", "en")
def can_measure(t):
    f = Figure(800, t("Ищем CAN мультиметром", "CAN шинасын мультиметрмен іздеу", "Finding CAN with a multimeter"))
    f.line([(500, 90), (500, 650)], GREY, 3, "10 12")
    f.text(250, 115, t("1. Питание СНЯТО", "1. Қорек АЖЫРАТЫЛҒАН", "1. Power OFF"), 30, bold=True)
    f.text(750, 115, t("2. Зажигание ВКЛ.", "2. Оталдыру ҚОСУЛЫ", "2. Ignition ON"), 30, bold=True)
    com, volt = f.meter(130, 145, t("60 Ом", "60 Ом", "60 Ω"), "Ω")
    f.line([com, (com[0], 520), (60, 520), (60, 560)], BLACK, 6)
    f.line([volt, (volt[0], 480), (440, 480), (440, 560)], RED, 6)
    f.line([(30, 570), (470, 570)], GREEN, 10)
    f.line([(30, 620), (470, 620)], BLUE, 10)
    f.text(250, 556, "CAN-H", 28, GREEN, True)
    f.text(250, 608, "CAN-L", 28, BLUE, True)
    f.line([(60, 560), (60, 620)], BLACK, 6)
    f.dot(60, 620)
    f.dot(440, 570)
    f.meter(540, 145, t("2,6 В", "2,6 В", "2.6 V"), "V=", w=200)
    f.meter(765, 145, t("2,4 В", "2,4 В", "2.4 V"), "V=", w=200)
    f.line([(680, 411), (680, 570)], RED, 6)
    f.line([(905, 411), (905, 620)], RED, 6)
    f.line([(600, 411), (600, 470)], BLACK, 6)
    f.line([(825, 411), (825, 470)], BLACK, 6)
    f.line([(570, 470), (630, 470)], BLACK, 8)
    f.line([(795, 470), (855, 470)], BLACK, 8)
    f.text(588, 510, t("масса", "масса", "ground"), 24)
    f.text(812, 510, t("масса", "масса", "ground"), 24)
    f.line([(530, 570), (980, 570)], GREEN, 10)
    f.line([(530, 620), (980, 620)], BLUE, 10)
    f.text(580, 556, "CAN-H", 28, GREEN, True)
    f.text(580, 608, "CAN-L", 28, BLUE, True)
    f.dot(680, 570)
    f.dot(905, 620)
    f.note(t("60 Ом — норма   •   0 Ом — замыкание\n120 Ом — только один терминатор", "60 Ом — қалыпты   •   0 Ом — тұйықталу\n120 Ом — тек бір терминатор", "60 Ω is normal   •   0 Ω: short circuit\n120 Ω: only one terminator"))
    return f


@figure("tank-probe", "ru", "kk")
def tank_probe(t):
    f = Figure(740, t("Место и длина зонда ДУТ", "ЖДД зондының орны мен ұзындығы", ""))
    f.rect(80, 220, 640, 400, BLACK, "white", 10, 30)
    f.add(f'<path d="M 85 360 H 715 V 590 Q 715 615 690 615 H 110 Q 85 615 85 590 Z" fill="{FUEL}"/>')
    f.rect(80, 220, 640, 400, BLACK, "none", 10, 30)
    f.rect(330, 165, 140, 50, BLACK, AMBER, 6)
    f.text(490, 200, t("ДУТ, середина бака", "ЖДД, бактың ортасы", ""), 28, bold=True, anchor="start")
    f.rect(388, 218, 24, 360, BLACK, GREY, 5, 3)
    for x in (230, 570):
        f.line([(x, 260), (x, 580)], GREY, 6, "16 14")
    f.text(150, 310, t("пере-\nгородка", "аралық\nқабырға", ""), 24, GREY)
    f.arrow(420, 440, 562, 440, both=True, width=4, head=12)
    f.text(490, 425, t("≥ 50 мм", "≥ 50 мм", ""), 26)
    f.arrow(760, 222, 760, 618, both=True, width=5)
    f.text(780, 400, t("глубина\nбака", "бактың\nтереңдігі", ""), 28, bold=True, anchor="start")
    f.arrow(345, 222, 345, 576, both=True, width=4, head=12)
    f.text(335, 500, "L", 40, BLUE, True, "end")
    f.line([(418, 578), (840, 578)], RED, 4, "10 8")
    f.line([(726, 618), (840, 618)], RED, 4, "10 8")
    f.text(855, 610, "20 мм", 30, RED, True, "start")
    f.note(t("L = глубина бака − 20 мм", "L = бактың тереңдігі − 20 мм", ""), size=32)
    return f


@figure("calibration")
def calibration():
    f = Figure(740, "Калибровка: пустой и полный")
    f.line([(500, 90), (500, 610)], GREY, 3, "10 12")
    for x, title, code, full in ((250, "1. ПУСТОЙ", "код 1", False), (750, "2. ПОЛНЫЙ", "код 4095", True)):
        f.text(x, 120, title, 32, bold=True)
        f.rect(x - 70, 160, 140, 56, BLACK, AMBER, 6)
        if full:
            f.path(f"M {x - 90} 270 V 560 H {x + 90} V 270", BLACK, 8)
            f.add(f'<rect x="{x - 86}" y="290" width="172" height="266" fill="{FUEL}"/>')
        f.rect(x - 12, 216, 24, 310, BLACK, GREY, 5, 3)
        f.text(x + 85, 200, code, 28, GREEN, True, "start")
    f.text(275, 330, "зонд сухой,\nстечь 1 мин", 28, anchor="start")
    f.text(850, 390, "мерная\nколба,\nжидкость\nдо верха\nзонда", 26, anchor="start")
    f.text(250, 585, "ничего не касается", 26, GREY)
    f.note("Топливо для «полного» — из этого же бака.\nПосле погружения ждать 1 минуту")
    return f


@figure("tank-table")
def tank_table():
    f = Figure(720, "Тарировка: порция за порцией")
    f.rect(60, 300, 250, 270, BLACK, "white", 8, 20)
    for level in range(4):
        f.add(f'<rect x="66" y="{510 - level * 50}" width="238" height="50" fill="{FUEL}"/>')
        f.line([(64, 510 - level * 50), (306, 510 - level * 50)], BLUE, 3)
        f.text(185, 547 - level * 50, "20 л", 26)
    f.rect(60, 300, 250, 270, BLACK, "none", 8, 20)
    f.path("M 70 170 L 190 130 L 220 205 L 100 245 Z", BLACK, 6, AMBER)
    f.path("M 220 205 Q 250 240 235 290", BLUE, 8)
    f.text(240, 160, "+20 л", 34, BLUE, True, "start")
    f.line([(430, 130), (430, 570), (950, 570)], BLACK, 6)
    f.text(450, 130, "код ДУТ", 28, bold=True, anchor="start")
    f.text(900, 610, "литры", 28, bold=True)
    points = [(430, 555), (510, 528), (590, 478), (670, 420), (750, 360), (830, 305), (910, 268)]
    f.line(points, GREEN, 6)
    for x, y in points:
        f.dot(x, y, GREEN)
    for x, label in ((430, "0"), (510, "20"), (590, "40"), (670, "60"), (750, "80")):
        f.text(x, 605, label, 24)
    f.note("Порция 5 % бака  •  ждать 2 мин  •  не меньше 20 точек")
    return f


@figure("onewire")
def onewire():
    f = Figure(760, "Шина 1-Wire: DS18B20")
    f.box(40, 150, 220, 330, "ТРЕКЕР", 34)
    rows = ((200, RED, "+5 В"), (310, GREEN, "DATA"), (420, BLACK, "GND"))
    for y, color, name in rows:
        f.line([(260, y), (930, y)], color)
        f.text(275, y - 16, name, 28, color, True, "start")
    f.line([(420, 200), (420, 310)], BLACK, 6)
    f.dot(420, 200, RED)
    f.dot(420, 310, GREEN)
    f.resistor(420, 255, "4,7 кОм", vertical=True)
    for x, number in ((640, "1"), (770, "2"), (900, "3")):
        for shift, (y, color, _) in zip((-28, 0, 28), rows):
            f.line([(x + shift, y), (x + shift, 520)], color, 6)
            f.dot(x + shift, y, color, 9)
        f.path(f"M {x - 48} 520 H {x + 48} V 565 Q {x} 610 {x - 48} 565 Z", BLACK, 6, PALE)
        f.text(x, 562, number, 30, bold=True)
    f.text(300, 540, "одна линия,\nответвление до 0,5 м,\nне «звезда»", 28)
    f.note("Один резистор на всю шину\nУ каждого датчика свой адрес, начинается с 28")
    return f


@figure("rs485")
def rs485():
    f = Figure(740, "RS-485: два ДУТ на одной линии")
    f.box(40, 180, 220, 240, "ТРЕКЕР", 34)
    f.line([(260, 250), (900, 250)], GREEN)
    f.line([(260, 350), (900, 350)], BLUE)
    f.text(280, 232, "A", 34, GREEN, True, "start")
    f.text(280, 390, "B", 34, BLUE, True, "start")
    for x in (370, 900):
        f.line([(x, 250), (x, 350)], BLACK, 5)
        f.dot(x, 250, GREEN)
        f.dot(x, 350, BLUE)
        f.resistor(x, 300, "", vertical=True)
    f.text(405, 312, "120 Ом", 28, bold=True, anchor="start")
    f.text(900, 225, "120 Ом", 28, bold=True)
    for x, name in ((580, "ДУТ 1\nадрес 1"), (800, "ДУТ 2\nадрес 2")):
        f.line([(x - 30, 250), (x - 30, 460)], GREEN)
        f.line([(x + 30, 350), (x + 30, 460)], BLUE)
        f.dot(x - 30, 250, GREEN)
        f.dot(x + 30, 350, BLUE)
        f.box(x - 95, 460, 190, 110, name, 28, fill="#fdf0cf")
    f.text(500, 130, "A к A, B к B, общая масса", 30, bold=True)
    f.note("Без питания между A и B 60 Ом.\nАдреса датчиков не повторяются")
    return f


@figure("antenna", "ru", "kk", "en")
def antenna(t):
    f = Figure(720, t("Где ставить трекер и антенны", "Трекер мен антеннаны қайда қою керек", "Where to put tracker and antennas"))
    f.path("M 60 520 V 380 L 200 360 L 330 210 H 700 Q 740 210 745 250 V 380 L 940 390 V 520 Z", BLACK, 9, PALE)
    f.path("M 245 360 L 348 240 H 520 V 360 Z", BLACK, 6, "white")
    f.path("M 545 240 H 690 V 360 H 545 Z", BLACK, 6, "white")
    for x in (230, 790):
        f.circle(x, 525, 70, BLACK, GREY, 9)
        f.circle(x, 525, 26, BLACK, "white", 5)
    f.path("M 190 375 Q 260 350 330 378", BLACK, 7)
    places = ((262, 340, True, 1), (630, 385, True, 2), (100, 440, False, 3), (620, 490, False, 4))
    for x, y, good, number in places:
        (f.yes if good else f.no)(x, y, 26)
        f.text(x + 42, y + 12, number, 32, bold=True, anchor="start")
    for number, angle in enumerate((-70, 0, 70)):
        f.arrow(360 + angle * 2.2, 100, 330 + angle * 1.2, 180, BLUE, 5)
    f.text(560, 150, t("спутники", "спутниктер", "satellites"), 28, BLUE, True, "start")
    f.note(
        t(
            "1 под пластиком торпедо   2 под стеклом, на полке\n3 у двигателя — нельзя   4 под металлом — нельзя",
            "1 торпедо пластигі астында   2 әйнек астында\n3 қозғалтқыш жаны: жоқ   4 металл асты: жоқ",
            "1 under the plastic dash   2 below the rear glass\n3 near the engine: no   4 under metal: no",
        )
    )
    return f


@figure("mounting", "ru", "kk", "en")
def mounting(t):
    f = Figure(700, t("Как повернуть трекер", "Трекерді қалай бұру керек", "How to turn the tracker"))
    f.line([(500, 90), (500, 590)], GREY, 3, "10 12")
    f.text(250, 130, t("ПРАВИЛЬНО", "ДҰРЫС", "RIGHT"), 32, GREEN, True)
    f.text(750, 130, t("НЕПРАВИЛЬНО", "ҚАТЕ", "WRONG"), 32, RED, True)
    f.arrow(90, 390, 90, 230, BLUE, 8, head=22)
    f.text(90, 210, t("небо", "аспан", "sky"), 28, BLUE, True)
    f.path("M 170 300 L 250 230 H 460 L 380 300 Z", BLACK, 7, "#fdf0cf")
    f.path("M 170 300 H 380 V 350 H 170 Z", BLACK, 7, PALE)
    f.path("M 380 300 L 460 230 V 280 L 380 350 Z", BLACK, 7, PALE)
    f.text(312, 278, t("ВЕРХ", "ҮСТІ", "TOP"), 28, bold=True)
    f.rect(150, 372, 310, 26, GREY, "#e4e6ea", 5, 4)
    f.text(300, 450, t("на хомутах, ровно,\nразъём вбок или вниз", "қамытпен, тегіс,\nқосқыш бүйірге не төмен", "strapped flat, connector\nsideways or down"), 26)
    f.yes(300, 550)
    f.path("M 600 350 L 680 280 H 880 L 800 350 Z", BLACK, 7, GREY)
    f.path("M 600 350 H 800 V 400 H 600 Z", BLACK, 7, PALE)
    f.path("M 800 350 L 880 280 V 330 L 800 400 Z", BLACK, 7, PALE)
    f.rect(570, 205, 340, 40, BLACK, GREY, 6, 4)
    f.text(740, 190, t("металл сверху", "үстінде металл", "metal above"), 26, RED, True)
    f.text(740, 450, t("вверх дном, под металлом,\nвисит на проводах", "төңкерілген, металл астында,\nсымда салбырап тұр", "upside down, under metal,\nhanging on its wires"), 26)
    f.no(740, 550)
    f.note(t("Наклон до 15°. Не крепить к подвижным деталям", "Көлбеу 15°-қа дейін. Қозғалатын бөлікке бекітпеңіз", "Tilt up to 15°. Never fix to moving parts"))
    return f


@figure("leds", "ru", "kk", "en")
def leds(t):
    f = Figure(850, t("Светодиоды ФТ-100 и ФТ-200", "ФТ-100 және ФТ-200 жарық диодтары", "FT-100 and FT-200 LEDs"))
    groups = (
        (RED, t("Питание", "Қорек", "Power"), (
            (t("горит", "жанып тұр", "on"), t("внешнее питание", "сыртқы қорек", "external power")),
            (t("1 раз в 5 с", "5 с-та 1 рет", "once in 5 s"), t("резервная АКБ", "резервтік АКБ", "backup battery")),
            (t("не горит", "жанбайды", "off"), t("нет питания", "қорек жоқ", "no power")))),
        (GREEN, t("Спутники", "Спутниктер", "Satellites"), (
            (t("горит", "жанып тұр", "on"), t("координаты есть", "координата бар", "position fixed")),
            (t("1 раз в 1 с", "1 с-та 1 рет", "once in 1 s"), t("ищет спутники", "спутник іздеуде", "searching")),
            (t("2 вспышки", "2 жыпылық", "2 flashes"), t("ошибка антенны", "антенна қатесі", "antenna fault")))),
        (BLUE, t("Связь", "Байланыс", "Network"), (
            (t("горит", "жанып тұр", "on"), t("данные на платформе", "платформада дерек бар", "data on the platform")),
            (t("1 раз в 3 с", "3 с-та 1 рет", "once in 3 s"), t("сеть есть, сервера нет", "желі бар, сервер жоқ", "network, no server")),
            (t("2 раза в 1 с", "1 с-та 2 рет", "twice in 1 s"), t("ищет сеть", "желі іздеуде", "searching network")),
            (t("2 вспышки", "2 жыпылық", "2 flashes"), t("нет SIM", "SIM жоқ", "no SIM")))),
    )
    y = 95
    for color, name, rows in groups:
        height = len(rows) * 66 + 14
        f.rect(40, y, 920, height, color, "white", 5)
        f.circle(130, y + height / 2 - 20, 30, BLACK, color, 5)
        f.text(130, y + height / 2 + 50, name, 24, color, True)
        for number, (state, meaning) in enumerate(rows):
            f.text(235, y + 52 + number * 66, state, 30, bold=True, anchor="start")
            f.text(490, y + 52 + number * 66, meaning, 30, anchor="start")
        y += height + 20
    return f


@figure("multimeter")
def multimeter():
    f = Figure(760, "Мультиметр: куда крутить")
    cases = (
        (40, "12,6 В", "V=", "Напряжение", "параллельно,\nщуп в гнезде V"),
        (385, "60 Ом", "Ω", "Сопротивление", "только\nбез питания"),
        (730, "0,02 А", "A=", "Ток", "в разрыв,\nщуп в гнезде 10A"),
    )
    for x, reading, mode, title, how in cases:
        f.text(x + 115, 125, title, 30, bold=True)
        com, volt = f.meter(x, 150, reading, mode)
        f.line([com, (com[0], 490)], BLACK, 6)
        f.line([volt, (volt[0], 490)], RED, 6)
        f.text(com[0] - 4, 522, "COM", 24)
        f.text(volt[0] + 6, 522, "10A" if mode == "A=" else "VΩ", 24, RED)
        f.text(x + 115, 570, how, 26)
    f.note("Ток измерили — щуп сразу обратно в VΩ,\nиначе следующий замер станет замыканием", color=RED)
    return f


@figure("Разъём J1939")
def j1939():
    f = Figure(770, "Разъём J1939 (Deutsch, 9 контактов)")
    cx, cy = 310, 370
    f.circle(cx, cy, 250, BLACK, PALE, 10)
    f.path(f"M {cx - 34} {cy - 250} V {cy - 214} H {cx + 34} V {cy - 250}", BLACK, 8, "white")
    pins = {
        "A": (-60, -145, BLACK), "B": (60, -145, RED), "C": (145, -60, GREEN), "D": (145, 60, BLUE),
        "E": (60, 145, GREY), "F": (-60, 145, GREY), "G": (-145, 60, GREY), "H": (-145, -60, GREY), "J": (0, 0, GREY),
    }
    for name, (x, y, color) in pins.items():
        f.circle(cx + x, cy + y, 38, color, "white", 9)
        f.text(cx + x, cy + y + 13, name, 36, color, True)
    for row, (name, meaning, color) in enumerate((
        ("A", "масса", BLACK), ("B", "плюс АКБ", RED), ("C", "CAN-H", GREEN), ("D", "CAN-L", BLUE),
        ("E", "экран CAN", GREY), ("F, G", "J1708 или CAN 2", GREY), ("H, J", "завод или CAN 2", GREY),
    )):
        f.text(600, 160 + row * 66, name, 34, color, True, "start")
        f.text(690, 160 + row * 66, meaning, 30, BLACK, False, "start")
    f.note("Буквы читайте на самом разъёме.\nЧёрный: 250 кбит/с, зелёный: 500 кбит/с")
    return f


@figure("obd2")
def obd2():
    f = Figure(740, "Разъём OBD-II (розетка автомобиля)")
    f.path("M 70 130 H 930 L 860 370 H 140 Z", BLACK, 10, PALE)
    marks = {4: BLACK, 5: BLACK, 6: GREEN, 14: BLUE, 16: RED, 7: AMBER}
    for number in range(1, 17):
        column, row = (number - 1) % 8, (number - 1) // 8
        x = (165 if row == 0 else 200) + column * (670 / 7 if row == 0 else 600 / 7)
        y = 190 + row * 120
        color = marks.get(number, GREY)
        f.rect(x - 32, y - 36, 64, 72, color, color if number in marks else "white", 5, 8)
        f.text(x, y + 12, number, 32, "white" if number in marks else GREY, True)
    for x, y, name, meaning, color in (
        (90, 440, "4, 5", "масса", BLACK), (90, 500, "16", "плюс АКБ", RED), (90, 560, "7", "K-line", "#b07800"),
        (530, 440, "6", "CAN-H", GREEN), (530, 500, "14", "CAN-L", BLUE),
    ):
        f.text(x + 90, y, name, 36, color, True, "end")
        f.text(x + 115, y, meaning, 32, BLACK, False, "start")
    f.text(645, 560, "остальные — завод", 28, GREY, False, "start")
    f.note("Между 6 и 14 без питания 60 Ом.\nНа контакте 16 напряжение всегда")
    return f


@figure("tachograph")
def tachograph():
    f = Figure(680, "Тахограф: карты и печать")
    f.rect(60, 150, 880, 240, BLACK, PALE, 10, 20)
    f.rect(120, 190, 300, 90, BLACK, "#dfe8dc", 6, 6)
    f.text(270, 248, "12:45   0 км/ч", 30, bold=True)
    f.rect(120, 315, 330, 22, BLACK, BLACK, 0, 4)
    f.rect(500, 315, 330, 22, BLACK, BLACK, 0, 4)
    f.rect(480, 195, 380, 70, BLACK, "white", 6, 8)
    f.text(670, 242, "принтер", 28)
    f.circle(94, 326, 20, BLACK, "white", 5)
    f.text(94, 336, "1", 26, bold=True)
    f.circle(868, 326, 20, BLACK, "white", 5)
    f.text(868, 336, "2", 26, bold=True)
    f.arrow(270, 470, 270, 350, BLUE, 6)
    f.text(270, 510, "слот 1: водитель", 30, BLUE, True)
    f.arrow(680, 470, 680, 350, BLUE, 6)
    f.text(680, 510, "слот 2: второй водитель", 30, BLUE, True)
    f.circle(905, 200, 16, BLACK, AMBER, 5)
    f.text(905, 130, "пломба", 28, RED, True)
    f.note("Карта чипом вверх.\nПломбы снимает только мастерская", color=RED)
    return f


@figure("ibutton")
def ibutton():
    f = Figure(720, "Считыватель iButton")
    f.circle(230, 310, 160, BLACK, PALE, 10)
    f.circle(230, 310, 105, BLACK, "white", 8)
    f.dot(230, 310, GREEN, 34)
    f.box(640, 140, 310, 340, "ТРЕКЕР", 36)
    f.line([(230, 310), (640, 310)], GREEN)
    f.text(560, 292, "DATA", 28, GREEN, True)
    f.line([(230, 415), (230, 440), (640, 440)], BLACK)
    f.text(560, 424, "GND", 28, BLACK, True)
    f.dot(372, 235, RED, 20)
    f.line([(372, 235), (372, 190), (640, 190)], RED)
    f.text(560, 174, "LED", 28, RED, True)
    f.text(275, 525, "центр — данные,\nободок — масса", 28, bold=True)
    f.note("Ключ прижать на 1–2 секунды.\nКод ключа начинается с 01")
    return f


@figure("level-graphs")
def level_graphs():
    f = Figure(760, "Уровень топлива: что на графике")
    normal = [(0, 40), (60, 60), (120, 76), (180, 96), (240, 116), (300, 134)]
    panels = (
        (60, 110, "Норма", GREEN, normal, "плавный расход"),
        (540, 110, "Прыгает в движении", AMBER, [(0, 60), (25, 95), (50, 50), (75, 105), (100, 66), (125, 112), (150, 70), (175, 118), (200, 80), (225, 128), (250, 88), (275, 136), (300, 100)], "плещется: фильтр, место"),
        (60, 390, "Прыгает с зажиганием", RED, [(0, 60), (75, 60), (76, 15), (160, 22), (161, 70), (230, 70), (231, 24), (300, 30)], "плохая масса датчика"),
        (540, 390, "Ноль или обрыв", RED, [(0, 50), (90, 66), (91, 150), (180, 150), (181, 82), (230, 92), (231, 150), (300, 150)], "вода, замыкание, провод"),
    )
    for x, y, title, color, points, meaning in panels:
        f.text(x + 200, y + 16, title, 30, bold=True)
        f.line([(x + 30, y + 40), (x + 30, y + 205), (x + 380, y + 205)], BLACK, 5)
        f.line([(x + 45 + px * 1.1, y + 40 + py) for px, py in points], color, 7)
        f.text(x + 205, y + 245, meaning, 28)
    f.note("Сначала смотрите сырой код датчика, потом литры")
    return f


@figure("splice")
def splice():
    f = Figure(700, "Соединение провода")
    steps = (
        (130, "1. Обжать гильзу", True), (260, "2. Потянуть: 5 кг", True), (390, "3. Термоусадка с клеем", True), (520, "Скрутка под изолентой", False),
    )
    for y, title, good in steps:
        f.line([(60, y), (180, y)], RED, 16)
        f.line([(280, y), (400, y)], RED, 16)
        f.line([(170, y), (290, y)], AMBER, 8)
        (f.yes if good else f.no)(945, y, 26)
        f.text(460, y + 11, title, 32, BLACK if good else RED, True, "start")
    for y in (130, 260):
        f.rect(175, y - 20, 110, 40, BLACK, "#d9dce1", 5, 8)
        f.line([(205, y - 20), (205, y + 20)], BLACK, 5)
        f.line([(255, y - 20), (255, y + 20)], BLACK, 5)
    f.arrow(60, 302, 20, 302, BLACK, 6)
    f.arrow(400, 302, 440, 302, BLACK, 6)
    f.rect(130, 362, 200, 56, BLACK, BLACK, 0, 16)
    f.path("M 170 520 q 15 -22 30 0 q 15 22 30 0 q 15 -22 30 0 q 15 22 30 0", AMBER, 8)
    f.note("Гильза по сечению провода. Стык не на изгибе")
    return f


@figure("leak-current")
def leak_current():
    f = Figure(740, "Ток утечки: амперметр в разрыв минуса")
    minus, plus = f.battery(330, 300, "АКБ", 300, 190)
    f.line([plus, (plus[0], 200), (900, 200)], RED)
    f.text(780, 180, "к машине", 28, RED, True)
    f.meter(50, 130, "0,03 А", "A=", w=240)
    f.line([(110, 396), (110, 450), (24, 450), (24, 100), (383, 100), (383, 274)], BLACK, 6)
    f.line([(230, 396), (230, 520)], RED, 6)
    f.ground(230, 520)
    f.text(290, 570, "кузов", 28, bold=True, anchor="start")
    f.text(650, 340, "легковая: до 50 мА", 28, BLACK, True, "start")
    f.text(650, 390, "грузовик: до 100 мА", 28, BLACK, True, "start")
    f.text(650, 440, "трекер спит: 8 мА", 28, GREEN, True, "start")
    f.text(650, 490, "не спит: 60 мА", 28, RED, True, "start")
    f.note("Ждать сна машины 20–40 минут.\nЗажигание не включать!", color=RED)
    return f


@figure("drill-zone")
def drill_zone():
    f = Figure(680, "До сверления бака")
    rows = (
        ("Бензин и газ: на месте не сверлим", False),
        ("Наряд-допуск подписан", True),
        ("Клемма «−» АКБ снята", True),
        ("Газоанализатор: ниже 10 % НКПР", True),
        ("Огнетушитель и второй человек рядом", True),
        ("Коронка в смазке, малые обороты", True),
    )
    for number, (label, good) in enumerate(rows):
        y = 130 + number * 76
        (f.yes if good else f.no)(80, y, 28)
        f.text(140, y + 12, label, 34, BLACK if good else RED, True, "start")
    f.note("Нет хотя бы одного пункта — не сверлим", color=RED, size=32)
    return f


def main():
    SVG.mkdir(exist_ok=True)
    PNG.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        source, target = SVG / f"{name}.svg", PNG / f"{name}.png"
        source.write_text(draw().svg(), encoding="utf-8")
        subprocess.run(["rsvg-convert", "-w", "1000", "-o", target, source], check=True)
        subprocess.run(["pngquant", "--force", "--strip", "--output", target, "32", target], check=True)
        print(f"{target.name}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
