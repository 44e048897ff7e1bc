/** What `kubectl get` prints, as its reader sees it: rows of cells under their titles. */

/** Titles are in capitals, two spaces or more apart; cells begin where their title does. */
export function columnsOf(printed: string): Record<string, string>[] {
  const [head = '', ...lines] = printed.trimEnd().split('\n')
  const titles = [...head.matchAll(/\S+(?: \S+)*/g)]
  return lines.map((line) =>
    Object.fromEntries(
      titles.map((title, index) => [
        title[0],
        line.slice(title.index, titles[index + 1]?.index).trim(),
      ]),
    ),
  )
}
