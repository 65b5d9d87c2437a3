"""The Listening Center: the local web page. The same cases, actions and checks as in Slack.

app.py        what is served where, and the door that every request passes
access.py     who somebody is, and what they may see; sign_outs.py, who left
room.py       what the pages need of the service
page.py       how a page is written: its frame (frame.html.jinja), its words (words/), its looks (static/)
live.py       what is new, for every open page
pages/        one file a page, with its template beside it
listen.py     the listening post's form under a path of its own
reports.py, rehearsals.py    what takes longer than a page may, each as a task.py
health.py, outbox.py, metrics.py    how this installation fares, for people and for Prometheus
"""
