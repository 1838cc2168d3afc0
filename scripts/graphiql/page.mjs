// One HTML page with everything inside, put together so that nothing inside can end the element that it stands in.
import { Script } from 'node:vm'

// In a script element `<!--` and `<script` change how the parser looks for its end, and `</script` is its end.
const unsafeInScript = /<(?=!--|\/?script)/gi

/**
 * A script element. `<` is written as `\x3C`, which means the same in a string, a template and a regular expression; anywhere
 * else it would be a syntax error, which is looked for here and not in a browser.
 */
export function script(source, name) {
  const safe = source.replace(unsafeInScript, '\\x3C')
  new Script(safe, { filename: name })
  return `<script>${assertVerbatim(safe, name)}</script>`
}

/** JSON as a JavaScript literal or as the text of a data block: no `<` is left in it. */
export const json = (value) => JSON.stringify(value).replaceAll('<', '\\u003c')

export function style(css, name) {
  if (/<\/style|<!--/i.test(css)) throw new Error(`${name} would end its style element`)
  return `<style>${assertVerbatim(css, name)}</style>`
}

// The parser turns CR and NUL into other characters, and lone surrogates do not survive UTF-8: the hash in the
// Content-Security-Policy would be of another text than the browser's.
function assertVerbatim(text, name) {
  if (/[\r\0]/.test(text) || !text.isWellFormed()) throw new Error(`${name} has characters that HTML does not keep`)
  return text
}

function comment(text) {
  if (/--|[<>]/.test(text)) throw new Error('a notice would end its comment')
  return `<!--\n${text.trim()}\n-->`
}

export function page({ title, notice, icon, styles, body, options, scripts }) {
  return `<!doctype html>
<html lang="en">
${comment(notice)}
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml;base64,${Buffer.from(icon).toString('base64')}">
${styles.join('\n')}
</head>
<body>
${body}
<div id="root"><p class="waiting">Loading GraphiQL…</p></div>
<noscript>GraphiQL needs JavaScript.</noscript>
<script type="application/json" id="graphiql-options">${json(options)}</script>
${scripts.join('\n')}
</body>
</html>
`
}
