import type { DocumentNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** A syntax tree takes 75 to 220 bytes for each character of its text: 55 MB in all, at the very worst. */
const LIMITS = { documents: 1_000, characters: 250_000, longest: 50_000 }

/**
 * The documents that were parsed lately, by their text, and which of them are valid; those not asked for the longest go first.
 * A document that holds its values instead of using variables is a new one each time: long ones are not kept.
 */
export class Documents {
  private readonly parsed = new Map<string, DocumentNode>()
  private readonly valid = new WeakSet<DocumentNode>()
  private readonly limits: typeof LIMITS
  private characters = 0

  constructor(limits: typeof LIMITS = LIMITS) {
    this.limits = limits
  }

  get(text: string): DocumentNode | undefined {
    const document = this.parsed.get(text)
    if (!document) return undefined
    // a Map keeps the order of insertion: what is asked for goes to its end
    this.parsed.delete(text)
    this.parsed.set(text, document)
    return document
  }

  set(text: string, document: DocumentNode): void {
    if (text.length > this.limits.longest || this.parsed.has(text)) return
    this.parsed.set(text, document)
    this.characters += text.length
    for (const oldest of this.parsed.keys()) {
      if (this.parsed.size <= this.limits.documents && this.characters <= this.limits.characters) return
      this.parsed.delete(oldest)
      this.characters -= oldest.length
    }
  }

  /** The document of a text that was parsed and found valid lately. */
  getValid(text: string): DocumentNode | undefined {
    const document = this.get(text)
    return document && this.valid.has(document) ? document : undefined
  }

  /** Learns of every validation which documents are valid. */
  plugin(): Plugin {
    return {
      onValidate:
        ({ params: { documentAST } }) =>
        ({ valid }) => {
          if (valid) this.valid.add(documentAST)
        },
    }
  }
}
