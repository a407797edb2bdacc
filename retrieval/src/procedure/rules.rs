//! Rules between the steps of a procedure.

use std::collections::HashMap;

use fitter_domain::procedure::{CheckKind, Step};

use crate::problem::Problems;

/// Gives unnamed steps their names and checks names and conditions.
pub(super) fn check(steps: &mut [Step], problems: &mut Problems) {
    name(steps, problems);
    let mut answers: HashMap<String, Vec<String>> = HashMap::new();
    let all: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    for step in steps {
        let line = step.line;
        if let Some(when) = &mut step.when {
            let name = &when.step;
            match answers.get(name) {
                Some(labels) if labels.is_empty() => {
                    problems.error(line, format!("`when` names the step `{name}`, which has no `choice` checkpoint"));
                }
                Some(labels) => {
                    for answer in &mut when.answers {
                        match labels.iter().find(|label| label.to_lowercase() == answer.to_lowercase()) {
                            Some(label) => answer.clone_from(label),
                            None => problems.error(
                                line,
                                format!("`when`: the choice of step `{name}` has no answer `{answer}`; it has {}", list(labels)),
                            ),
                        }
                    }
                }
                None if *name == step.id => problems.error(line, format!("`when` names the step `{name}` itself")),
                None if all.contains(name) => problems.error(line, format!("`when` names the step `{name}`, which comes later")),
                None => problems.error(line, format!("`when` names the step `{name}`, which does not exist")),
            }
        }
        let labels = step.checks.iter().filter_map(|check| match &check.kind {
            CheckKind::Choice { options } => Some(options.iter().map(|option| option.label.clone())),
            _ => None,
        });
        answers.insert(step.id.clone(), labels.flatten().collect());
    }
}

/// Steps without `^name` are `s1`, `s2`, … by their place.
fn name(steps: &mut [Step], problems: &mut Problems) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for (index, step) in steps.iter_mut().enumerate() {
        let own = format!("s{}", index + 1);
        if step.id.is_empty() {
            step.id = own;
        } else if step.id != own
            && step.id.strip_prefix('s').is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
        {
            problems.error(step.line, format!("step name `^{}` is reserved for unnamed steps: choose a word", step.id));
            step.id = own;
        }
        if let Some(line) = seen.insert(step.id.clone(), step.line) {
            problems.error(step.line, format!("step name `^{}` is used twice, first in line {line}", step.id));
        }
    }
}

fn list(labels: &[String]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}
