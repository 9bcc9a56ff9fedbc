// What must never happen behind a page: an error on the console (a breach of the content security policy is one), a
// script that throws, a request that fails, an answer of 5xx, a page without its guards, a page nobody looked at.

/** Watches a page from its first request on. */
export function watch(page) {
  const problems = []
  const documents = []

  page.on('console', message => {
    if (!['error', 'warning'].includes(message.type())) return
    // Statuses are judged below, where it is known what was asked for.
    if (message.text().startsWith('Failed to load resource: the server responded with a status of')) return
    problems.push(`console: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', error => problems.push(`a script threw: ${error}`))
  page.on('requestfailed', request => {
    const why = request.failure()?.errorText
    // What a page still waits for when it is left.
    if (why === 'net::ERR_ABORTED' && !request.isNavigationRequest()) return
    problems.push(`${request.method()} ${request.url()} failed: ${why}`)
  })
  page.on('response', response => {
    const status = response.status(), request = response.request(), url = response.url()
    const isDocument = request.isNavigationRequest() && request.frame() === page.mainFrame()
    if (status >= 500) problems.push(`${url} was answered ${status}`)
    if (status >= 400 && !isDocument) problems.push(`${url} was answered ${status}`)
    if (!isDocument || (status >= 300 && status < 400)) return
    documents.push({ url, status, lookedAt: false })
    if (!url.startsWith('http')) return
    // Our own pages, and the demo's, allow nothing that they don't name; other sites have some policy of theirs.
    const headers = response.headers()
    const policy = headers['content-security-policy'] ?? ''
    const isStrict = policy.includes("default-src 'none'") || !headers['cross-origin-opener-policy']
    if (policy === '' || policy.includes('unsafe') || !isStrict) problems.push(`${url} has the policy “${policy}”`)
  })

  return {
    problems,
    documents,
    /** The page that stands there now was looked at. */
    lookedAt() { if (documents.length) documents.at(-1).lookedAt = true },
    /** Everything that was wrong. */
    all() {
      const unseen = documents.filter(one => !one.lookedAt).map(one => `nobody looked at ${one.url} (${one.status})`)
      return [...new Set([...problems, ...unseen])]
    }
  }
}
