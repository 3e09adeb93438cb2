// The rules that come with Sluice. Points: 1 is enough by itself when nothing speaks against it, 2
// and 3 hold against a word of another task.
#include <algorithm>
#include <array>

#include "routing/classifier.h"

namespace sluice::routing {
namespace {

struct Phrases {
  double weight;
  std::string_view list;  // separated by commas
};

constexpr std::array kCode{
    Phrases{3,
            "stack trace,traceback,segfault,segmentation fault,null pointer,nullpointerexception,"
            "unit test,unit tests,pull request,code review,refactor this,regular expression,regex,"
            "compile error,compiler error,dockerfile,typescript,javascript,python script,c++,c#,"
            "syntax error,race condition,write a function,write a program,write code,git rebase,"
            "merge conflict,makefile,pytest,kubernetes manifest,rest endpoint,pseudocode,"
            "typeerror,valueerror,keyerror,attributeerror,indexerror,big o"},
    Phrases{2,
            "function,refactor,refactoring,debug,debugging,python,java,golang,kotlin,swift,php,"
            "ruby,haskell,node js,react component,react,vue,angular,django,flask,fastapi,css,html,"
            "bash script,shell script,script,algorithm,recursion,recursive,compile,compiler,"
            "codebase,source code,code,snippet,unittest,mutex,deadlock,async,await,goroutine,"
            "def,struct,enum,const,boolean,linter,eslint,npm,pip,cargo,cmake,docker,"
            "kubernetes,terraform,graphql,http client,parser,binary tree,linked list,"
            "hash map,time complexity,off by one,memory leak,exception,import,bug,rust,scala,perl,"
            "webpack,coroutine,command line tool,cli,repo,repository,middleware,sdk"},
    Phrases{1,
            "class,method,variable,array,loop,implement,implementation,api,endpoint,library,"
            "package,module,interface,thread,threads,git,commit,branch,deploy,backend,frontend,"
            "json,yaml,sql,database migration,schema migration,index,query,return,null,string,"
            "integer,server,crashes,throws,fails,fix"},
};

constexpr std::array kBusiness{
    Phrases{
        3,
        "revenue,quarterly,year over year,month over month,kpi,kpis,churn,churn rate,"
        "gross margin,profit margin,ebitda,market share,sales figures,balance sheet,"
        "cash flow,income statement,conversion rate,customer lifetime value,"
        "customer acquisition cost,business intelligence,sales pipeline,dashboard,dashboards,"
        "executive summary,cohort analysis,cohort,pivot table,top customers,average order value,"
        "operating costs,average basket,net promoter score,burn rate,run rate,arr,mrr"},
    Phrases{2,
            "forecast,forecasting,sales,profit,margin,margins,spend,spending,budget,quarter,q1,q2,"
            "q3,q4,fiscal year,metrics,metric,trend,trends,segment,segments,segmentation,roi,"
            "analytics,data analysis,analyze the data,analyse the data,dataset,spreadsheet,"
            "excel sheet,csv,report,orders,invoices,inventory,turnover,retention,funnel,region,"
            "regions,by region,per month,per customer,by month,stakeholders,benchmark,"
            "outliers,correlation,variance,swot,competitors,subscribers,bookings,backlog,"
            "supplier,suppliers,expenses,headcount,warehouse"},
    Phrases{1,
            "customers,customer,growth,total,average,median,chart,graph,table,compare,compared,"
            "percentage,percent,costs,cost,pricing,marketing,campaign,monthly,weekly,annual,"
            "units,target,sql,query,data,insights,product,products,summarize,summarise"},
};

constexpr std::array kChat{
    Phrases{3,
            "translate,poem,haiku,recipe,joke,birthday,story,bedtime story,song,lyrics,"
            "cover letter,how are you,good morning,good evening,tell me about,"
            "thank you,proofread,love letter,wedding,vacation,holiday,weather,movie,movies,"
            "restaurant,horoscope,meaning of life"},
    Phrases{
        2,
        "hello,hi,hey,thanks,please explain,explain,what is,who is,who was,who were,"
        "what are,tell me,recommend,recommendation,suggest,advice,rewrite,rephrase,essay,"
        "email,letter,paraphrase,in french,in german,in spanish,in english,travel,trip,"
        "book,books,game,games,feel,feeling,friend,friends,family,dinner,cook,exercise,workout,"
        "history,capital of,where is,when did,how far,how many people,gift,dog,cat,children,"
        "kids,grammar,slogan,name for,sleep,learn,polite,politely,philosophy,difference between,"
        "paragraph,summarize this article,summarise this article"},
    Phrases{1,
            "why,opinion,think,idea,ideas,help me,fun,nice,write,message,story about,article,"
            "word,words,sentence,sentences,day,today,meeting,tone,speech,plan"},
};

template <size_t N>
void add_phrases(TaskRules& rules, const std::array<Phrases, N>& table) {
  for (const Phrases& group : table) {
    std::string_view rest = group.list;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      rules.phrases.emplace_back(rest.substr(0, comma), group.weight);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
}

std::vector<TaskRules> all_rules() {
  TaskRules code{.task = "code_generation"};
  add_phrases(code, kCode);
  code.features = {{Feature::CodeFence, 3},
                   {Feature::CodeSymbols, 3},
                   {Feature::Sql, 1},
                   {Feature::Tools, 0.5},
                   {Feature::LongText, 0.25}};
  TaskRules business{.task = "business_intelligence"};
  add_phrases(business, kBusiness);
  business.features = {{Feature::Figures, 1.5},
                       {Feature::Sql, 1},
                       {Feature::JsonSchema, 0.5},
                       {Feature::LongText, 0.25}};
  TaskRules chat{.task = "chat"};
  add_phrases(chat, kChat);
  chat.features = {{Feature::Question, 0.5}};
  TaskRules embeddings{.task = "embeddings"};
  embeddings.paths = {"/v1/embeddings"};
  return {std::move(code), std::move(business), std::move(chat), std::move(embeddings)};
}

}  // namespace

ClassifierOptions builtin_rules(const std::vector<std::string>& tasks) {
  ClassifierOptions options;
  const auto exists = [&](const std::string& task) {
    return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
  };
  for (TaskRules& rules : all_rules()) {
    if (exists(rules.task)) options.tasks.push_back(std::move(rules));
  }
  options.default_task = exists("chat") ? "chat" : tasks.empty() ? "" : tasks.front();
  return options;
}

}  // namespace sluice::routing
