import { contentHash } from '../content-hash.ts'

/** A page that loads nothing from outside: its script and style are inside, and the policy lets nothing else run. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

export interface PageParts {
  readonly title: string
  readonly style: string
  readonly script: string
  /** What stands in the body before the script runs: trusted HTML. */
  readonly body: string
}

/** Puts a page together. The content security policy names script and style by their hash. */
export function buildPage({ title, style, script, body }: PageParts): Page {
  const policy = [
    "default-src 'none'",
    `script-src ${contentHash(script)}`,
    `style-src ${contentHash(style)}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`
  return { html, headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy.join('; ') } }
}
