import type { ClientRequest, RequestOptions as HttpOptions, IncomingMessage } from 'node:http'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { HttpLibrary, KubeConfig, RequestContext, ResponseContext } from '@kubernetes/client-node'

/**
 * Carries requests over node:https with the TLS settings of a kubeconfig's current context and one keep-alive agent.
 * Unlike the library's own carrier it follows no redirects (only the address of the kubeconfig is called), keeps its
 * connections, and stops reading a body at `maxBytes`.
 */
export async function nodeHttpLibrary(config: KubeConfig, maxBytes: number): Promise<HttpLibrary> {
  const { ResponseContext, wrapHttpLibrary } = await import('@kubernetes/client-node')
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  keepAlive(options)
  return wrapHttpLibrary({ send: (request) => send(request, options, maxBytes, ResponseContext) })
}

/** The library makes its agents without keep-alive. Agents of a proxy, which are of other classes, stay as they are. */
function keepAlive(options: RequestOptions): void {
  const agent = options.agent as HttpsAgent | undefined
  if (agent?.constructor === HttpsAgent) options.agent = new HttpsAgent({ ...agent.options, keepAlive: true })
  if (agent?.constructor === HttpAgent) options.agent = new HttpAgent({ keepAlive: true })
}

function send(
  context: RequestContext,
  { agent, servername }: RequestOptions,
  maxBytes: number,
  Response: typeof ResponseContext,
): Promise<ResponseContext> {
  const url = new URL(context.getUrl())
  const signal = context.getSignal()
  const content = context.getBody()
  const body = typeof content === 'string' ? Buffer.from(content) : undefined
  const options: HttpOptions & { servername?: string } = {
    method: context.getHttpMethod(),
    // Node sends a DELETE's body without saying how long it is, and the server takes it for the next request.
    headers: { ...context.getHeaders(), ...(body === undefined ? {} : { 'content-length': body.length }) },
    ...(agent === undefined ? {} : { agent }),
    ...(servername === undefined ? {} : { servername }),
    ...(signal === undefined ? {} : { signal }),
  }
  return new Promise((resolve, reject) => {
    const answer = (message: IncomingMessage) => {
      readText(message, maxBytes).then((text) => {
        const read = { text: async () => text, binary: async () => Buffer.from(text), stream: () => null }
        resolve(new Response(message.statusCode ?? 0, plainHeaders(message), read))
      }, reject)
    }
    const request: ClientRequest =
      url.protocol === 'https:' ? httpsRequest(url, options, answer) : httpRequest(url, options, answer)
    request.on('error', reject)
    request.end(body)
  })
}

async function readText(message: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) {
      message.destroy()
      throw new RangeError(`the answer is larger than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function plainHeaders(message: IncomingMessage): Record<string, string> {
  const entries = Object.entries(message.headers).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
