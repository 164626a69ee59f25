/** The first whole number for which `holds` is true; it is true from some number on. */
export function firstNumber(holds: (count: number) => boolean): number {
  if (holds(0)) return 0
  let tooFew = 0
  let enough = 1
  while (!holds(enough)) {
    tooFew = enough
    enough *= 2
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2)
    if (holds(middle)) enough = middle
    else tooFew = middle
  }
  return enough
}
