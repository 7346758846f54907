"""Many repositories in one go: `corslint fleet`.

Map: the path of a repository -> its reports and counts (`checking`), done by any `concurrent.futures.Executor`
(`executors`, `run`). Reduce: results on the disk that outlive a run that is killed (`results`), and the summary of all
(`summary`, `page`).
"""
