"""The tables of costs in docs/aws.md: each line's arithmetic gives what the line says, and the lines give the sum."""

import re
import unittest
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "aws.md").read_text()
COSTS = TEXT.split("\n## What it costs\n")[1].split("\n## ")[0]


def lines(heading):
    """The lines of the table whose first cell is headed so: what, arithmetic, dollars a day."""
    table = re.search(rf"^\| {heading} \| arithmetic \| USD a day \|\n\|---.*\n((?:\|.*\n)+)", COSTS, re.M)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def reckon(arithmetic):
    """What an expression with these signs comes to. It has digits and signs alone, so it can be evaluated."""
    expression = arithmetic.replace("×", "*").replace("−", "-").replace(",", "")
    if not re.fullmatch(r"[0-9.()*/+\- ]+", expression):
        raise ValueError(f'got "{arithmetic}", expected numbers, ×, /, +, − and brackets')
    return eval(expression)  # noqa: S307


def dollars(cell):
    return float(cell.strip("*").replace("+ ", ""))


class Costs(unittest.TestCase):
    def test_each_line_is_its_arithmetic(self):
        reckoned = [line for heading in ("what", "option") for line in lines(heading) if line[1]]
        self.assertEqual(len(reckoned), 13)
        for what, arithmetic, cost in reckoned:
            self.assertAlmostEqual(reckon(arithmetic), dollars(cost), delta=0.005001, msg=what)

    def test_the_lines_are_the_sum(self):
        *parts, (_, _, together) = lines("what")
        self.assertAlmostEqual(sum(reckon(arithmetic) for _, arithmetic, _ in parts), dollars(together), delta=0.005001)

    def test_every_price_in_the_arithmetic_says_where_it_was_read(self):
        read = set(re.findall(r"\d+\.\d+", COSTS.split("| price | USD | read in |")[1]))
        prices = {price for heading in ("what", "option") for _, arithmetic, _ in lines(heading) for price in re.findall(r"0\.\d+", arithmetic)}
        # A task of the service has a quarter of a processor and half a GB.
        self.assertEqual(prices - read, {"0.25", "0.5"})


if __name__ == "__main__":
    unittest.main()
