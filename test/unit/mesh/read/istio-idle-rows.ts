/** Settings of a route that do nothing, for they are for no request. */
export const IDLE: readonly { it: string; settings: object }[] = [
  { it: 'an abort without a percentage', settings: { fault: { abort: { httpStatus: 500 } } } },
  { it: 'an abort with an empty one', settings: { fault: { abort: { httpStatus: 500, percentage: {} } } } },
  { it: 'a delay for 0 %', settings: { fault: { delay: { fixedDelay: '1s', percentage: { value: 0 } } } } },
  {
    it: 'a copy with an empty percentage',
    settings: { mirror: { host: 'reviews', subset: 'v2' }, mirrorPercentage: {} },
  },
  {
    it: 'one of several copies, with an empty percentage',
    settings: { mirrors: [{ destination: { host: 'reviews', subset: 'v2' }, percentage: {} }] },
  },
]

/** Policies that are tried only: all of who may call stays with its owner. */
export const TRIED: readonly { it: string; action: string; rules: readonly object[] }[] = [
  { it: 'one that would let everyone in', action: 'ALLOW', rules: [{}] },
  { it: 'one that would refuse everyone', action: 'DENY', rules: [{}] },
  {
    it: 'one that would ask for a token',
    action: 'DENY',
    rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }],
  },
]
