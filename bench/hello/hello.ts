import { app } from '@azure/functions'

app.setup({ enableHttpStream: true })
app.http('hello', {
  route: '{*path}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => ({ body: 'hello' }),
})
