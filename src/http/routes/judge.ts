import { succeed } from '../../model/failure.ts'
import { judgeAnswer, judgeRequest } from '../../model/judge.ts'
import { type Route, route } from '../route.ts'

export const JUDGE_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/judge',
    operationId: 'judge',
    tag: 'Judge',
    summary: 'Evaluate given counts as a gate would',
    description:
      'Each stage is one look; counts add up. harm compares the bad events of both versions, ratio all their requests, limit takes the candidate alone.',
    access: 'any',
    body: {
      schema: judgeRequest,
      example: {
        test: 'harm',
        alpha: 0.01,
        stages: [{ share: 0.1, candidate: { good: 980, bad: 20 }, stable: { good: 8982, bad: 18 } }],
      },
    },
    answers: { 200: { description: 'The verdict after the last look', schema: judgeAnswer } },
    async handle({ body }) {
      // Statistics are heavy to load, and only this call needs them.
      const { evaluateRequest } = await import('../../judge/evaluate-request.ts')
      return succeed({ status: 200, json: evaluateRequest(body) })
    },
  }),
]
