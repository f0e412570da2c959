"""Batches: hand over many questions at once, leave, and collect the answers later, at a lower price.

::

    offbeat run … --batch     questions ──submit──▶ job 1, job 2, …     nothing is waited for
    offbeat run … --batch     ◀──collect── job 1 ended: answers; job 2 pending: come back later

The names of jobs and the keys of their questions stand in the run's database (`jobs`). One command is one `turn`: it
first collects what there is (`collecting`), then hands over what is open (`handing_over`), and sets the money aside
for it (`costs`). A question that is in a job is not asked another time while the job is pending. What a job leaves open
(it expired, a line of its result cannot be read) is handed over anew by the next such command. Where clip after clip
failed alike, nothing is handed over in that command.
"""
