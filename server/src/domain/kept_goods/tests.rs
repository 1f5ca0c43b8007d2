use super::*;
use crate::domain::dice::Dice;
use crate::domain::earning::made_up;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(amount: &str, quantity: &str) -> SaleLine {
    SaleLine {
        quantity: dec(quantity),
        ..SaleLine::whole(dec(amount))
    }
}

fn of_line(line: u32, quantity: &str) -> Returned {
    let quantity = Some(dec(quantity));
    Returned::Lines(vec![ReturnedLine { line, quantity }])
}

fn amounts(kept: &KeptGoods<'_>) -> Vec<(String, String)> {
    let lines = kept.lines().iter();
    lines
        .map(|line| {
            (
                line.quantity.normalize().to_string(),
                line.amount.normalize().to_string(),
            )
        })
        .collect()
}

#[test]
fn what_is_kept_of_a_line_is_its_part_rounded_up_to_the_currency() {
    // Amount, quantity, what comes back of it, decimals of the currency, what is kept.
    let cases = [
        ("10.00", "3", "1", 2, "6.67"),
        ("10.00", "3", "2", 2, "3.34"),
        ("10.00", "3", "3", 2, "0"),
        ("0.01", "1000", "999", 2, "0.01"),
        ("100", "3", "1", 0, "67"),
        ("5.25", "1.5", "0.5", 2, "3.5"),
        ("99999999999.99", "1000000000", "0.000001", 2, "99999999999.99"),
    ];
    for (amount, quantity, back, minor_units, expected) in cases {
        let sale = made_up::sale(vec![line(amount, quantity)]);
        let kept = KeptGoods::all_of(&sale, minor_units).less(&of_line(0, back)).unwrap();
        assert_eq!(kept.total(), dec(expected), "{back} of {quantity} for {amount}");
    }
}

#[test]
fn returns_by_amount_and_by_lines_take_turns() {
    let sale = made_up::sale(vec![line("60", "3"), line("40", "1"), line("0", "2")]);
    let all = KeptGoods::all_of(&sale, 2);

    let less_ten = all.less(&Returned::Amount(dec("10"))).unwrap();
    let less_twenty = less_ten.clone().less(&Returned::Amount(dec("10"))).unwrap();
    let less_one_unit = less_twenty.clone().less(&of_line(0, "1")).unwrap();
    let less_five = less_one_unit.clone().less(&Returned::Amount(dec("5"))).unwrap();

    let pair = |quantity: &str, amount: &str| (quantity.to_owned(), amount.to_owned());
    assert_eq!(
        amounts(&less_ten),
        [pair("2.7", "54"), pair("0.9", "36"), pair("1.8", "0")]
    );
    assert_eq!(
        amounts(&less_twenty),
        [pair("2.4", "48"), pair("0.8", "32"), pair("1.6", "0")]
    );
    assert_eq!(
        amounts(&less_one_unit),
        [pair("1.4", "28"), pair("0.8", "32"), pair("1.6", "0")]
    );
    assert_eq!(less_five.total(), dec("55"));
    let rest = less_five.less(&Returned::Rest).unwrap();
    assert!(rest.is_nothing() && rest.total().is_zero());
}

#[test]
fn an_amount_in_pieces_leaves_what_it_leaves_at_once() {
    for case in 1..=500 {
        let mut dice = Dice::of_case(case);
        let sale = made_up::sale((0..=dice.below(5)).map(|_| made_up::line(&mut dice)).collect());
        let at_once = sale.total - dice.cents(3_000).min(sale.total);
        if at_once.is_zero() {
            continue;
        }

        let mut pieces = KeptGoods::all_of(&sale, 2);
        let mut left = at_once;
        while !left.is_zero() {
            let piece = (dice.cents(2_000) + dec("0.01")).min(left);
            pieces = pieces.less(&Returned::Amount(piece)).unwrap();
            left -= piece;
        }

        let whole = KeptGoods::all_of(&sale, 2).less(&Returned::Amount(at_once)).unwrap();
        assert_eq!(pieces.lines(), whole.lines(), "case {case}");
        assert_eq!(pieces.total(), sale.total - at_once);
    }
}

#[test]
fn the_kept_part_of_a_line_is_discounted_as_the_line_was() {
    let listed = SaleLine {
        unit_price: Some(dec("5")),
        ..line("12", "3")
    };
    let lowered = SaleLine {
        discount_amount: Some(dec("2")),
        ..line("10", "3")
    };
    let percent = SaleLine {
        discount_percent: Some(dec("25")),
        unit_price: Some(dec("4")),
        ..line("9", "3")
    };
    let dearer = SaleLine {
        unit_price: Some(dec("3.333333")),
        ..line("10", "3")
    };
    let sale = made_up::sale(vec![listed, lowered, percent.clone(), dearer]);
    let one_of_each = Returned::Lines(
        (0..4)
            .map(|line| ReturnedLine {
                line,
                quantity: Some(Decimal::ONE),
            })
            .collect(),
    );

    let kept = KeptGoods::all_of(&sale, 2).less(&one_of_each).unwrap();

    let discount = |place: usize| (kept.lines()[place].unit_price, kept.lines()[place].discount_amount);
    assert_eq!(discount(0), (None, Some(dec("2"))));
    assert_eq!(discount(1), (None, Some(dec("1.333333"))));
    assert_eq!(discount(2), (percent.unit_price, None));
    assert_eq!(discount(3), (None, None), "rounding up is no discount");
}

#[test]
fn tax_stays_inside_the_amount() {
    let taxed = SaleLine {
        tax_amount: dec("0.02"),
        ..line("0.02", "3")
    };
    let sale = made_up::sale(vec![taxed]);

    let kept = KeptGoods::all_of(&sale, 2).less(&of_line(0, "2")).unwrap();

    assert_eq!(
        (kept.lines()[0].amount, kept.lines()[0].tax_amount),
        (dec("0.01"), dec("0.01"))
    );
}
