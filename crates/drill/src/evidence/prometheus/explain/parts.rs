//! The parts of an expression that can be asked about alone.

use std::time::Duration;

use promql_parser::parser::token::TokenType;
use promql_parser::parser::{BinaryExpr, Expr, VectorSelector};

/// The parts of an expression that can be looked at alone.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) selectors: Vec<SelectorPart>,
    pub(super) comparisons: Vec<ComparisonPart>,
}

#[derive(PartialEq)]
pub(super) struct SelectorPart {
    pub(super) written: String,
    pub(super) vector: VectorSelector,
    pub(super) range: Option<Duration>,
    /// How far before the moment of evaluation it looks, ranges of subqueries around it included.
    pub(super) reach: Duration,
}

#[derive(PartialEq)]
pub(super) struct ComparisonPart {
    pub(super) whole: Expr,
    /// Whether it gives 0 or 1 instead of leaving series out.
    pub(super) is_bool: bool,
    pub(super) left: Expr,
    pub(super) operator: TokenType,
    pub(super) right: Expr,
}

impl Parts {
    pub(super) fn parse(expression: &Expr) -> Self {
        let mut parts = Self::default();
        parts.take(expression, Duration::ZERO);
        parts
    }

    fn take(&mut self, expression: &Expr, reach: Duration) {
        match expression {
            Expr::VectorSelector(vector) => self.select(vector, expression.to_string(), None, reach),
            Expr::MatrixSelector(matrix) => {
                let (written, range) = (expression.to_string(), matrix.range);
                self.select(&matrix.vs, written, Some(range), reach + range);
            }
            Expr::Subquery(subquery) => self.take(&subquery.expr, reach + subquery.range),
            Expr::Binary(binary) => {
                self.compare(expression, binary);
                self.take(&binary.lhs, reach);
                self.take(&binary.rhs, reach);
            }
            Expr::Aggregate(aggregate) => {
                aggregate.param.iter().for_each(|parameter| self.take(parameter, reach));
                self.take(&aggregate.expr, reach);
            }
            Expr::Unary(unary) => self.take(&unary.expr, reach),
            Expr::Paren(paren) => self.take(&paren.expr, reach),
            Expr::Call(call) => call.args.args.iter().for_each(|argument| self.take(argument, reach)),
            // The parser makes no extensions.
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
        }
    }

    fn select(&mut self, vector: &VectorSelector, written: String, range: Option<Duration>, reach: Duration) {
        let part = SelectorPart { written, vector: vector.clone(), range, reach };
        if !self.selectors.contains(&part) {
            self.selectors.push(part);
        }
    }

    fn compare(&mut self, whole: &Expr, binary: &BinaryExpr) {
        if !binary.op.is_comparison_operator() {
            return;
        }
        let (left, right) = (bare(&binary.lhs).clone(), bare(&binary.rhs).clone());
        let is_bool = binary.return_bool();
        let part = ComparisonPart { whole: whole.clone(), is_bool, left, operator: binary.op, right };
        if !self.comparisons.contains(&part) {
            self.comparisons.push(part);
        }
    }
}

/// Without parentheses around it.
fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}
