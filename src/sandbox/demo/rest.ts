/** What the demo may do to Meshwright: what every pipeline may. */
export interface Rest {
  /** Answers the body. Throws with the problem's detail unless the status is 2xx. */
  call<T>(method: 'GET' | 'PUT' | 'POST' | 'PATCH', path: string, body?: object): Promise<T>
  /** The body of a GET as it is sent. Throws as `call` does. */
  text(path: string): Promise<string>
}

/** JSON over HTTP below `base`, with a token where there is one. `signal` ends calls under way. */
export function restAt(base: string, token: string | undefined, signal: AbortSignal): Rest {
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(base + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${detailOf(text)}`)
    return text
  }
  return {
    async call<T>(method: string, path: string, body?: object) {
      const text = await send(method, path, body)
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
    text: (path) => send('GET', path),
  }
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? text)
  } catch {
    return text
  }
}
