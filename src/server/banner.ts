import type { FirstKey } from './api-keys.ts'

/** What a start prints: the addresses, the key, and a line to paste. */
export function banner(
  url: string,
  key: FirstKey,
  database: string,
  actions: readonly string[],
  workflows: readonly string[],
): string {
  const shownKey = keyForShell(key)
  const page = key.kind === 'made' ? `${url}#key=${encodeURIComponent(key.key)}` : url
  return `
  action.do is ready

  GraphQL    ${url}
  GraphiQL   ${page}   (in a browser)
  Database   ${database}
  API key    ${keyLine(key)}
  Actions    ${actions.join(', ') || 'none'}
${workflows.length > 0 ? `  Workflows  ${workflows.join(', ')}\n` : ''}${actions.length > 0 ? `\n  Try it:\n\n${example(url, shownKey)}\n` : ''}`
}

/** What the banner says of the key, for where there is no banner. */
export function keyAlone(key: FirstKey): string {
  return `\n  API key    ${keyLine(key)}\n`
}

function keyLine(key: FirstKey): string {
  switch (key.kind) {
    case 'configured':
      return 'the one in DO_API_KEY'
    case 'made':
      return key.file ? `${key.key}   (kept in ${key.file})` : `${key.key}   (shown this once: keep it)`
    case 'in-file':
      return `in ${key.file}`
    case 'made-before':
      return 'the one that was printed at the first start; set DO_API_KEY to use another'
  }
}

function keyForShell(key: FirstKey): string {
  if (key.kind === 'made' && !key.file) return key.key
  if (key.kind === 'made' || key.kind === 'in-file') return `$(cat ${key.file})`
  return '$DO_API_KEY'
}

function example(url: string, key: string): string {
  const query = '{ actions { name effect description } }'
  return `  curl -s ${url} -H "Authorization: Bearer ${key}" -H 'Content-Type: application/json' \\
    -d '{"query":"${query}"}'`
}
