/** What does something when it is first called, and nothing from then on. */
export function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
