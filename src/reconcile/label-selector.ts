interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | null
  readonly matchExpressions?: readonly Requirement[] | null
}

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[] | null
}

/**
 * Does a Kubernetes label selector (`matchLabels` and `matchExpressions`) take an object with these labels? An empty one
 * takes every object, one that is not there takes none.
 */
export function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  if (typeof selector !== 'object' || selector === null) return false
  const { matchLabels, matchExpressions } = selector as LabelSelector
  const equal = Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return equal && (matchExpressions ?? []).every((requirement) => meets(labels, requirement))
}

/** As the API says, `NotIn` also holds where the label is absent. */
function meets(labels: Readonly<Record<string, string>>, { key, operator, values }: Requirement): boolean {
  const value = labels[key]
  const named = value !== undefined && (values ?? []).includes(value)
  switch (operator) {
    case 'In':
      return named
    case 'NotIn':
      return !named
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
