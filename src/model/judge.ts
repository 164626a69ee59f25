import * as z from 'zod'

/** Least events of the candidate before a gate says harm or safe. */
export const DEFAULT_MIN_EVENTS = 50

/** Most stages in one `POST /judge`; with `MAX_EVENTS` it bounds the work of one call. */
export const MAX_STAGES = 500

/** Most events of a kind in one stage. */
export const MAX_EVENTS = 1_000_000_000

const eventCount = z.int().min(0).max(MAX_EVENTS)

/** Events of one version in one stage: whole numbers. */
const stageCounts = z
  .strictObject({ good: eventCount, bad: eventCount })
  .describe('How many events of one version were good and how many bad')

const stage = z.strictObject({
  share: z.number().min(0).max(1).optional().describe('Part of the requests that the candidate got, 0 to 1'),
  candidate: stageCounts,
  stable: stageCounts.optional(),
})

/**
 * Body of `POST /judge`. `limit` looks at the candidate's bad share, and at stable's where it is given. `harm`
 * compares the bad events of both and `ratio` all requests of both, so these need `share` and `stable` in every
 * stage.
 */
export const judgeRequest = z
  .strictObject({
    test: z.enum(['harm', 'limit', 'ratio']),
    alpha: z.number().min(1e-9).max(0.5).describe('Chance of a false alarm over all looks together; 0.01 is 1 %'),
    stages: z.array(stage).min(1).max(MAX_STAGES).describe('In the order of time; the end of each is one look'),
    limitPercent: z
      .number()
      .min(0.001)
      .max(99.9)
      .optional()
      .describe('Most of the events that may be bad, in per cent; the test limit needs it'),
    minEvents: z
      .int()
      .min(1)
      .max(MAX_EVENTS)
      .optional()
      .describe(
        `Fewer events of the candidate decide nothing; left out: ${DEFAULT_MIN_EVENTS} for limit, else any number`,
      ),
    gMax: z
      .number()
      .gt(1)
      .max(1000)
      .optional()
      .describe(
        "Test harm: times stable's rate that safe must rule out, 2 when left out; ratio: times the odds asked, 1.25",
      ),
    dispersion: z
      .number()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'Variance of the counts a minute over their mean, for which the test is corrected; left out: it is not',
      ),
  })
  .superRefine((body, context) => {
    const missing = (path: (string | number)[], field: string) =>
      context.addIssue({ code: 'custom', path: [...path, field], message: `the test ${body.test} needs ${field}` })
    if (body.test === 'limit') {
      if (body.limitPercent === undefined) missing([], 'limitPercent')
      if (body.gMax !== undefined) {
        context.addIssue({ code: 'custom', path: ['gMax'], message: 'the test limit takes no gMax' })
      }
      return
    }
    for (const [index, { share, stable }] of body.stages.entries()) {
      if (share === undefined) missing(['stages', index], 'share')
      if (stable === undefined) missing(['stages', index], 'stable')
    }
  })
  .meta({ id: 'JudgeRequest' })
export type JudgeRequest = z.infer<typeof judgeRequest>

/** Answer of `POST /judge`. */
export const judgeAnswer = z
  .object({
    verdict: z
      .enum(['harm', 'safe', 'undecided'])
      .describe('harm: above the limit, worse than stable, or not the shares asked; safe: that is ruled out'),
    reason: z.string().describe('CamelCase, for machines: LimitExceeded, WorseThanStable, RatioOff, NotClearYet…'),
    eValue: z
      .number()
      .describe('Largest evidence for harm at any look that counted, or of the last when none did; harm needs 1/alpha'),
    pValue: z.number().describe('min(1, 1/eValue); valid at every look'),
    safeEValue: z.number().optional().describe('Tests limit and harm: evidence for safe at the last look'),
    interval: z
      .tuple([z.number(), z.number()])
      .describe(
        "With confidence 1 - alpha over all looks. limit: the candidate's bad share, 0 to 1; harm: its rate over stable's; ratio: the odds of its share over those asked. 0 and 1000000 are no bounds of a ratio",
      ),
    needed: z.number().optional().describe('About how many more requests to the candidate until a harm would be seen'),
    explanation: z.string().describe('Counts, interval, limit and what follows, in words'),
  })
  .meta({ id: 'JudgeAnswer' })
export type JudgeAnswer = z.infer<typeof judgeAnswer>
