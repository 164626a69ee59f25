import { LINT_RULES, type LintCode, SEVERITIES, type Severity } from './codes.ts'

/** Something that a plan found on one cluster. */
export interface Finding {
  /** One of `LINT_RULES`, or the reason why a Deployment cannot be made. */
  readonly code: string
  readonly severity: Severity
  /** For example `Service shop/web`. */
  readonly object?: string
  /** JSON pointer into the service body. */
  readonly field?: string
  readonly message: string
  readonly fix: string
}

interface Where {
  readonly object?: string | undefined
  readonly field?: string | undefined
  /** In place of the rule's. */
  readonly fix?: string | undefined
}

/** A finding with severity and fix as the table has them. */
export function finding(code: LintCode, message: string, { object, field, fix }: Where = {}): Finding {
  const rule = LINT_RULES[code]
  return {
    code,
    severity: rule.severity,
    ...(object === undefined ? {} : { object }),
    ...(field === undefined ? {} : { field }),
    message,
    fix: fix ?? rule.fix,
  }
}

/** The worst severity among findings; undefined when there are none. */
export function worstOf(findings: readonly Pick<Finding, 'severity'>[]): Severity | undefined {
  return SEVERITIES.findLast((severity) => findings.some((one) => one.severity === severity))
}

/** Is a severity at least as bad as another? */
export function isAsBad(severity: Severity | undefined, than: Severity): boolean {
  return severity !== undefined && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(than)
}
