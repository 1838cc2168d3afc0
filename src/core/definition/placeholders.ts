/** A text taken apart at its `${…}`. */
export type Part = { readonly text: string } | { readonly source: string }

/**
 * Splits a text into what stands as it is and what is an expression. `$${` is a literal `${`. Braces and quotes inside of an
 * expression are seen, so that `${ {"a": "}"} }` is one. Undefined when a `${` is never closed.
 */
export function partsOf(text: string): Part[] | undefined {
  const parts: Part[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('$', at)
    if (next < 0) break
    literal += text.slice(at, next)
    if (text.startsWith('$${', next)) {
      literal += '${'
      at = next + 3
    } else if (!text.startsWith('${', next)) {
      literal += '$'
      at = next + 1
    } else {
      const end = endOfExpression(text, next + 2)
      if (end < 0) return undefined
      if (literal !== '') parts.push({ text: literal })
      parts.push({ source: text.slice(next + 2, end) })
      literal = ''
      at = end + 1
    }
  }
  literal += text.slice(at)
  if (literal !== '') parts.push({ text: literal })
  return parts
}

/** Where the `}` is that ends an expression; -1 when there is none. */
function endOfExpression(text: string, start: number): number {
  let open = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (character === '"' || character === "'") {
      at = endOfQuote(text, at)
      if (at < 0) return -1
    } else if (character === '{') open++
    else if (character === '}' && open-- === 0) return at
  }
  return -1
}

/** Where the last quote of a text is, which CEL writes with one or three of them; -1 when it is not closed. */
function endOfQuote(text: string, start: number): number {
  const quote = text[start]!
  const delimiter = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote
  for (let at = start + delimiter.length; at < text.length; at++)
    if (text[at] === '\\') at++
    else if (text.startsWith(delimiter, at)) return at + delimiter.length - 1
  return -1
}
