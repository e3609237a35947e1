#include "app/demo_script.h"

#include "contract/chat.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const struct demo_person demo_people[] = {
    {"maya", "Maya Lindqvist"},  {"tomas", "Tomás Herrera"},  {"aiko", "Aiko Tanabe"},
    {"jonas", "Jonas Weber"},    {"priya", "Priya Raman"},    {"luca", "Luca Moretti"},
    {"nadia", "Nadia Haddad"},   {"owen", "Owen Fletcher"},   {"sofia", "Sofia Almeida"},
    {"karim", "Karim Benali"},   {"hanna", "Hanna Virtanen"}, {"diego", "Diego Navarro"},
    {"wei", "Wei Zhang"},        {"amara", "Amara Okafor"},   {"pavel", "Pavel Dvořák"},
    {"ines", "Inês Carvalho"},   {"ravi", "Ravi Menon"},      {"greta", "Greta Olsen"},
    {"samuel", "Samuel Mensah"}, {"zoe", "Zoé Lambert"},
};
const size_t demo_people_count = COUNT(demo_people);

static const struct demo_line hike[] = {
    {0, 0, "Forecast for Saturday is dry all day. Who is in for the ridge trail?", 0, "🎉"},
    {1, 240, "In! I can take three people in my car.", 0, NULL},
    {2, 90, "Yes please. Is it the long loop or the one back by the lake?", 0, NULL},
    {0, 60, "By the lake: 14 km, 620 m up. Five hours with a slow lunch.", 3, "👍"},
    {3, 400, "I am still limping from football, so lake loop suits me fine.", 0, NULL},
    {4, 130, "I'll bring the big thermos and those almond biscuits.", 0, "❤️"},
    {1, 45, "Then it is decided. Biscuits are binding.", 6, "😂"},
    {2, 900, "Meeting point?", 0, NULL},
    {0, 30, "Station, north exit, 8:15. Train back runs every half hour until ten.", 0, NULL},
    {3, 600, "8:15 as in the middle of the night?", 9, "😂"},
    {0, 20, "As in: coffee is on me.", 0, NULL},
    {3, 15, "8:10 it is.", 0, "👍"},
    {4, 7200, "Small change: I have a spare pair of poles if anybody wants them.", 0, NULL},
    {2, 300, "Me! My knees thank you.", 13, NULL},
};

static const struct demo_line release[] = {
    {0, 0, "Morning. Release branch is cut. Remaining: the export bug and the new empty states.", 0,
     NULL},
    {1, 180, "Export bug is reproduced. It only happens when the list has exactly one page.", 0,
     "👀"},
    {2, 60, "That smells like my paging change from Tuesday. Looking.", 2, NULL},
    {3, 500, "Empty states are in review: three screens, light and dark.", 0, NULL},
    {0, 120, "Lovely. Could the search one say what to try next?", 4, NULL},
    {3, 90, "Good point, pushing that in ten minutes.", 0, "👍"},
    {2, 1500,
     "Found it: the cursor of the last row was compared with <= instead of <. Test added "
     "first, then the fix.",
     0, "🎉"},
    {1, 80, "Verified on my side, both with one page and with none.", 7, NULL},
    {4, 300, "Load test on the branch: 18 % less CPU per request than last week.", 0, "🚀"},
    {0, 40, "What did we do right?", 9, NULL},
    {4, 60, "Stopped parsing the same token on every call. Turns out doing nothing is fast.", 0,
     "😂"},
    {0, 2400, "Tagging at 16:00 if nobody shouts.", 0, NULL},
    {1, 5, "No shouting here.", 0, NULL},
    {3, 20, "Quietly in favour.", 0, NULL},
    {0, 4000, "Tagged and out. Thank you all, that was the calmest one this year.", 0, "🎉"},
};

static const struct demo_line books[] = {
    {0, 0, "Next month: short stories or the big Russian brick?", 0, NULL},
    {1, 3000, "Short stories. I am still carrying last month's brick in my back.", 0, "😂"},
    {2, 500, "Seconded. I propose the collection with the lighthouse on the cover.", 0, NULL},
    {3, 800, "Read it twice, would read it a third time. The one about the ferry broke me.", 0,
     "❤️"},
    {0, 200, "No spoilers before the 12th!", 4, NULL},
    {3, 30, "It has a ferry in it. That is all you get.", 0, NULL},
    {4, 9000, "Could we start at 19:30? My train is late on Thursdays.", 0, NULL},
    {0, 600, "19:30 is good. I'll make soup, you bring opinions.", 0, "👍"},
};

static const struct demo_line news[] = {
    {0, 0, "Welcome to the announcements channel. Only owners and admins write here.", 0, "👍"},
    {0, 90000, "The office is closed on the 24th and 25th. The plants will be watered.", 0, "🎉"},
    {0, 86400, "Lift maintenance tomorrow, 9 to 11. Think of it as a free workout.", 0, "😂"},
    {0, 40000, "New espresso machine, fourth floor. Please descale it before it descales you.", 0,
     "❤️"},
};

static const struct demo_line lunch[] = {
    {0, 0, "Lunch at the usual place?", 0, NULL},
    {1, 60, "Give me ten minutes, I have a test running.", 0, NULL},
    {0, 20, "You always have a test running.", 2, "😂"},
    {1, 15, "And they always pass. Eventually.", 0, NULL},
    {0, 700, "I ordered for you. The thing with the aubergine.", 0, "❤️"},
    {1, 30, "You are a good person. On my way.", 0, NULL},
};

static const struct demo_line photos[] = {
    {0, 0, "I finally sorted the photos from the coast. 412 of them, 409 of your dog.", 0, "😂"},
    {1, 300, "Only 409? Where was the dog in the other three?", 1, NULL},
    {0, 60, "Behind the camera, judging.", 0, NULL},
    {1, 2000, "Could you send me the one with the red boat? My mother wants it for her wall.", 0,
     NULL},
    {0, 500, "Of course. I'll bring a print on Sunday, it deserves paper.", 0, "❤️"},
    {1, 40, "You just made an old lady very happy. And her son.", 0, NULL},
};

static const struct demo_line flat[] = {
    {0, 0, "The radiator in the hall is singing again.", 0, NULL},
    {1, 200, "Which song?", 1, "😂"},
    {0, 30, "Something with a lot of feeling. Landlord comes on Wednesday between 8 and 12.", 0,
     NULL},
    {2, 100, "I work from home that day, I'll let him in.", 0, "👍"},
    {1, 900, "Whose turn is it with the bins?", 0, NULL},
    {2, 10, "Yours.", 5, NULL},
    {0, 5, "Yours.", 5, NULL},
    {1, 60, "Democracy is a cruel thing.", 0, "😂"},
};

static const struct demo_line training[] = {
    {0, 0, "Intervals tonight: 6 x 800 m, 90 seconds rest. Warm-up at 18:15.", 0, NULL},
    {1, 400, "There. Is the track open again?", 0, NULL},
    {0, 60, "Yes, new surface. Feels like running on toast.", 0, "😂"},
    {2, 1200, "I can only make the second half, is that fine?", 0, NULL},
    {0, 30, "Half of you is better than none of most.", 4, "❤️"},
    {3, 7200, "3:05, 3:04, 3:06, 3:03, 3:05, 2:58. I may need to lie down until Friday.", 0, "🚀"},
    {0, 100, "That last one! Easy 8 km tomorrow, really easy, I mean it.", 6, NULL},
    {1, 80, "Define easy.", 0, NULL},
    {0, 20, "If you can't complain while running, you are too fast.", 8, "😂"},
};

const struct demo_chat demo_chats[] = {
    {CHAT_GROUP, "Saturday hike", {0, 1, 2, 3, 4, -1}, 2.2, 1, hike, COUNT(hike)},
    {CHAT_GROUP, "Release crew", {4, 0, 5, 6, 7, -1}, 1.1, 1, release, COUNT(release)},
    {CHAT_GROUP, "Book club", {8, 0, 9, 10, 11, -1}, 4.0, 1, books, COUNT(books)},
    {CHAT_CHANNEL,
     "Announcements",
     {12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, -1},
     5.0,
     1,
     news,
     COUNT(news)},
    {CHAT_DIRECT, "", {1, 0, -1}, 0.2, 1, lunch, COUNT(lunch)},
    {CHAT_DIRECT, "", {13, 0, -1}, 0.9, 1, photos, COUNT(photos)},
    {CHAT_GROUP, "Flat 14", {0, 14, 15, -1}, 3.1, 1, flat, COUNT(flat)},
    {CHAT_GROUP, "Track Tuesday", {16, 0, 17, 18, 19, -1}, 6.5, 40, training, COUNT(training)},
    {CHAT_DIRECT, "", {2, 3, -1}, 1.5, 1, lunch, COUNT(lunch)},
    {CHAT_DIRECT, "", {8, 9, -1}, 2.5, 1, photos, COUNT(photos)},
};
const size_t demo_chat_count = COUNT(demo_chats);
