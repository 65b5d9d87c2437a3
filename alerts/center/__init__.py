"""The Listening Center: the local web page. The same cases, actions and checks as in Slack.

app.py       what is served where, and the door that every request passes
access.py    who somebody is, and what they may see
page.py      how a page is written: its frame, its words in the visitor's language
live.py      what is new, for every open page
pages/       one file a page, with its template beside it
"""
