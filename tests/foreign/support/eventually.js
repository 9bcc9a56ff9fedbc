/** Looks again and again until `look` finds something. Longer than anything takes on a loaded machine. */
export async function eventually(what, look, patience = 60_000) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
