"""A few drawing words shared by all figures: one palette, one font, thick lines."""

from html import escape

RED = "#d3222a"  # plus
BLACK = "#1d1d1f"  # ground, outlines
GREEN = "#1f8f3a"  # signal
BLUE = "#1b5fc1"  # second signal, links
GREY = "#8a8f98"
PALE = "#f1f3f6"
FUEL = "#cfe6fb"
AMBER = "#f2a900"
FONT = "DejaVu Sans"


class Figure:
    """One figure: width is 1000 units, the height is up to the figure."""

    def __init__(self, height, title=None, width=1000):
        self.width, self.height = width, height
        self.parts = []
        if title:
            self.text(width / 2, 52, title, 36, bold=True)

    def add(self, markup):
        self.parts.append(markup)

    def text(self, x, y, value, size=28, color=BLACK, bold=False, anchor="middle"):
        for number, line in enumerate(str(value).split("\n")):
            weight = ' font-weight="bold"' if bold else ""
            self.add(
                f'<text x="{x:g}" y="{y + number * size * 1.2:g}" font-size="{size}" fill="{color}"'
                f' text-anchor="{anchor}"{weight}>{escape(line)}</text>'
            )

    def line(self, points, color=BLACK, width=8, dash=None):
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        self.add(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"'
            f' stroke-linejoin="round" stroke-linecap="round"{extra}/>'
        )

    def path(self, d, color=BLACK, width=6, fill="none"):
        self.add(
            f'<path d="{d}" fill="{fill}" stroke="{color}" stroke-width="{width}"'
            f' stroke-linejoin="round" stroke-linecap="round"/>'
        )

    def rect(self, x, y, w, h, color=BLACK, fill="white", width=6, radius=12):
        self.add(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius}" fill="{fill}"'
            f' stroke="{color}" stroke-width="{width}"/>'
        )

    def circle(self, x, y, r, color=BLACK, fill="white", width=6):
        self.add(
            f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{fill}" stroke="{color}" stroke-width="{width}"/>'
        )

    def dot(self, x, y, color=BLACK, r=11):
        self.circle(x, y, r, color, color, 0)

    def box(self, x, y, w, h, label, size=30, color=BLACK, fill=PALE):
        """A device with its name in the middle."""
        self.rect(x, y, w, h, color, fill)
        lines = label.split("\n")
        self.text(x + w / 2, y + h / 2 + size * 0.36 - (len(lines) - 1) * size * 0.6, label, size, bold=True)

    def arrow(self, x1, y1, x2, y2, color=BLACK, width=6, both=False, head=16):
        self.line([(x1, y1), (x2, y2)], color, width)
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        ends = [(x2, y2, ux, uy)] + ([(x1, y1, -ux, -uy)] if both else [])
        for x, y, dx, dy in ends:
            bx, by = x - dx * head, y - dy * head
            px, py = -dy * head * 0.7, dx * head * 0.7
            self.line([(bx + px, by + py), (x, y), (bx - px, by - py)], color, width)

    def ground(self, x, y):
        """The ground symbol, its top in (x, y)."""
        self.line([(x, y), (x, y + 26)])
        for number, half in enumerate((42, 27, 12)):
            self.line([(x - half, y + 26 + number * 17), (x + half, y + 26 + number * 17)])

    def fuse(self, x, y, label, w=120):
        """A fuse in a horizontal wire, its centre in (x, y)."""
        self.rect(x - w / 2, y - 26, w, 52, RED, "white")
        self.line([(x - w / 2, y), (x + w / 2, y)], RED, 4)
        self.text(x, y - 42, label, 30, RED, bold=True)

    def resistor(self, x, y, label, vertical=False, side=1, size=28):
        if vertical:
            self.rect(x - 18, y - 42, 36, 84, BLACK, "white", 6, 4)
            self.text(x + 34 * side, y + 10, label, size, bold=True, anchor="start" if side > 0 else "end")
        else:
            self.rect(x - 42, y - 18, 84, 36, BLACK, "white", 6, 4)
            self.text(x, y - 34, label, size, bold=True)

    def battery(self, x, y, label, w=230, h=150):
        """A battery with the plus terminal on the right; gives the terminals' tops."""
        self.rect(x + 30, y - 26, 46, 30, BLACK, GREY, 6, 4)
        self.rect(x + w - 76, y - 26, 46, 30, RED, RED, 6, 4)
        self.rect(x, y, w, h, BLACK, PALE)
        self.text(x + 53, y + 52, "−", 48, BLACK, bold=True)
        self.text(x + w - 53, y + 52, "+", 48, RED, bold=True)
        self.text(x + w / 2, y + h - 34, label, 28, bold=True)
        return (x + 53, y - 26), (x + w - 53, y - 26)

    def yes(self, x, y, r=30):
        self.circle(x, y, r, GREEN, GREEN, 0)
        self.line([(x - r * 0.45, y), (x - r * 0.1, y + r * 0.4), (x + r * 0.5, y - r * 0.4)], "white", r * 0.25)

    def no(self, x, y, r=30):
        self.circle(x, y, r, RED, RED, 0)
        for sign in (1, -1):
            self.line([(x - r * 0.4, y - r * 0.4 * sign), (x + r * 0.4, y + r * 0.4 * sign)], "white", r * 0.25)

    def meter(self, x, y, reading, mode, color=BLACK, w=230, h=300):
        """A multimeter; gives the tops of the wires at its COM and V jacks."""
        self.rect(x, y, w, h, AMBER, PALE, 10, 20)
        self.rect(x + 24, y + 24, w - 48, 90, BLACK, "#dfe8dc", 5, 6)
        self.text(x + w / 2, y + 86, reading, 44, color, bold=True)
        self.circle(x + w / 2, y + 185, 46, BLACK, "white", 6)
        if mode.endswith("="):  # direct current: a solid line over a dashed one
            self.text(x + w / 2 - 14, y + 200, mode[:-1], 38, bold=True)
            self.line([(x + w / 2 + 6, y + 180), (x + w / 2 + 32, y + 180)], BLACK, 4)
            self.line([(x + w / 2 + 6, y + 191), (x + w / 2 + 32, y + 191)], BLACK, 4, "4 7")
        else:
            self.text(x + w / 2, y + 200, mode, 38, bold=True)
        self.circle(x + 60, y + h - 34, 13, BLACK, BLACK, 0)
        self.circle(x + w - 60, y + h - 34, 13, RED, RED, 0)
        return (x + 60, y + h - 34), (x + w - 60, y + h - 34)

    def note(self, value, y=None, color=BLACK, size=28, fill=PALE):
        """A line of text in a pale band at the bottom."""
        lines = str(value).split("\n")
        height = 30 + len(lines) * size * 1.2
        top = self.height - height - 16 if y is None else y
        self.rect(24, top, self.width - 48, height, fill, fill, 0, 14)
        self.text(self.width / 2, top + 14 + size, value, size, color, bold=True)

    def svg(self):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" font-family="{FONT}">\n'
            f'<rect width="{self.width}" height="{self.height}" fill="white"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )
