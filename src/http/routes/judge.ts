import { fail, succeed } from '../../model/failure.ts'
import { judgeAnswer, judgeRequest } from '../../model/judge.ts'
import { type Route, route } from '../route.ts'

export const JUDGE_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/judge',
    operationId: 'judge',
    tag: 'Judge',
    summary: 'Evaluate given counts as a gate would',
    description: 'Each stage is one look; counts add up. The tests harm and ratio are not built yet (501).',
    access: 'any',
    body: {
      schema: judgeRequest,
      example: {
        test: 'limit',
        alpha: 0.01,
        limitPercent: 1,
        stages: [{ share: 0.1, candidate: { good: 180, bad: 20 }, stable: { good: 1990, bad: 10 } }],
      },
    },
    answers: { 200: { description: 'The verdict after the last look', schema: judgeAnswer } },
    failures: ['NotBuilt'],
    async handle({ body }) {
      // Statistics are heavy to load, and only this call needs them.
      const { evaluateRequest } = await import('../../judge/evaluate-request.ts')
      const outcome = evaluateRequest(body)
      if (outcome.ok) return succeed({ status: 200, json: outcome.answer })
      return fail('NotBuilt', `Not part of this version: ${outcome.message}.`, {
        errors: [{ pointer: '/test', reason: outcome.message }],
      })
    },
  }),
]
