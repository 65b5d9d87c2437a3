"""The matrix: every call of the product to the outside, door by door."""

from faults.calls import Call, listens, looks, own, replies, to
from faults.of_slack import OF_SLACK

X_SEARCH = "/2/tweets/search/recent"
STREAM = "network.bsky.jetstream.subscribeEvents"
LIVE = {"patience": "bluesky_live"}
NO_BODY = dict.fromkeys(
    ("slow drip", "endless body", "cut short"),
    "a WebSocket is agreed on by headers alone; its messages are limited one by one",
)
RESTS = "each process rests for a minute after it; posts are heard without it"
ONCE = "each process asks it once, whatever comes; posts are heard without it"

OF_X = (
    listens("X", "search", "x", to(X_SEARCH), main=True),
    own("X", "the hospital's own replies", "x", to(X_SEARCH, query="from:")),
    looks("X", "are kept posts still there?", "x", to("/2/tweets$", "GET")),
    *replies("X", "x", to("/2/tweets$", "POST"), to("/2/users/me"), to("/2/users/.*/tweets")),
    listens("X, mentions", "timeline of mentions", "x_mentions", to("/2/users/.*/mentions")),
    listens("X, mentions", "whose account it is", "x_mentions", to("/2/users/me"), cold=True),
    own("X, mentions", "the hospital's own replies", "x_mentions", to("/2/users/.*/tweets")),
    looks("X, mentions", "are kept posts still there?", "x_mentions", to("/2/tweets$", "GET")),
)
OF_REDDIT = (
    listens("Reddit", "access token", "reddit", to("access_token"), cold=True, main=True),
    listens("Reddit", "new posts of a subreddit", "reddit", to("/r/PortAlder/new"), main=True),
    listens("Reddit", "search", "reddit", to("/r/all/search"), settings={"search": ("St. Brigid",)}),
    own("Reddit", "the hospital's own comments", "reddit", to("/user/.*/comments")),
    looks("Reddit", "are kept posts still there?", "reddit", to("/api/info")),
    *replies("Reddit", "reddit", to("/api/comment"), to("access_token|/api/v1/me"), to("/user/.*/comments")),
)
OF_BLUESKY = (
    listens("Bluesky", "login", "bluesky", to("createSession"), cold=True, main=True),
    listens("Bluesky", "search", "bluesky", to("searchPosts"), main=True),
    own("Bluesky", "the hospital's own posts", "bluesky", to("getAuthorFeed")),
    looks("Bluesky", "are kept posts still there?", "bluesky", to("getPosts")),
    *replies("Bluesky", "bluesky", to("createRecord"), to("createSession|getPosts"), to("listRecords")),
    listens("Bluesky, live", "Jetstream", "bluesky_live", to(STREAM), **LIVE, main=True, cannot=NO_BODY),
    listens(
        "Bluesky, live",
        "which account is the hospital's",
        "bluesky_live",
        to("resolveHandle"),
        **LIVE,
        cold=True,
        sooner=RESTS,
    ),
    listens("Bluesky, live", "who wrote it", "bluesky_live", to("getProfiles"), **LIVE, sooner=RESTS),
    looks("Bluesky, live", "are kept posts still there?", "bluesky_live", to("getPosts"), **LIVE),
)
OF_MASTODON = (
    listens("Mastodon", "timeline of a tag", "mastodon", to("/timelines/tag/"), main=True),
    listens("Mastodon", "what the instance shows", "mastodon", to("/instance"), cold=True, sooner=ONCE),
    listens("Mastodon", "search", "mastodon", to("/v2/search"), settings={"search": ("Brigid",)}),
    listens("Mastodon", "mentions", "mastodon", to("/notifications"), settings={"mentions": True}),
    own("Mastodon", "the hospital's own posts", "mastodon", to("/accounts/[0-9]+/statuses")),
    looks("Mastodon", "are kept posts still there?", "mastodon", to("/statuses", "GET")),
    *replies(
        "Mastodon", "mastodon", to("/statuses$", "POST"), to("verify_credentials"), to("/accounts/[0-9]+/statuses")
    ),
)
OF_FEEDS = (listens("Feeds", "feed", "rss", to("/news/rss.xml"), main=True),)
OF_GOOGLE = (
    listens("Google reviews", "access token", "google_reviews", to("/token"), cold=True, main=True),
    listens("Google reviews", "reviews of a location", "google_reviews", to("/v4/.*/reviews$", "GET"), main=True),
    own("Google reviews", "the hospital's own replies", "google_reviews", to("/v4/.*/reviews$", "GET")),
    looks("Google reviews", "are kept reviews still there?", "google_reviews", to("/v4/.*/reviews", "GET")),
    *replies(
        "Google reviews",
        "google_reviews",
        to("/reply$", "PUT"),
        to("/token|/reviews", "GET|POST"),
        to("/reviews", "GET"),
    ),
)
CALLS: tuple[Call, ...] = (*OF_X, *OF_REDDIT, *OF_BLUESKY, *OF_MASTODON, *OF_FEEDS, *OF_GOOGLE, *OF_SLACK)
# They open a form, or read a folder.
NOBODY_IS_ASKED = ("listening_post", "file")
